"""Answers and events: V.250's terse form with Cryptoki return values (docs/protocol.md, section 3.1)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fob_protocol.at.answer import Answer, Event, decode_answer, decode_event, encode_answer, encode_event, single
from fob_protocol.errors import AtSyntaxError
from fob_protocol.limits import LINES_LIMIT
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.errors import CkrError

VALUE = st.integers(0, 2**64 - 1) | st.text(max_size=20) | st.binary(max_size=80)
LINE = st.lists(VALUE, min_size=1, max_size=6).map(tuple)
LINES = st.lists(LINE, max_size=5).map(tuple)
EVENT_NAME = st.from_regex(r"\+[A-Z][A-Z0-9!%\-./:_]{0,15}", fullmatch=True)


@pytest.mark.parametrize(
    ("octets", "answer"),
    [
        (b"0\r", Answer()),
        (b"#13sig\r\n0\r", Answer(((b"sig",),))),
        (b"0\r\n0\r", Answer(((0,),))),
        (b"\r\n0\r", Answer(((None,),))),
        (b"1,2\r\n3\r\n0\r", Answer(((1, 2), (3,)))),
        (b"#14\r\n0\r\r\n0\r", Answer(((b"\r\n0\r",),))),
        (b"+CKR: 80\r\n", Answer(ckr=80)),
        (b'+CKR: 7,"no such handle"\r\n', Answer(ckr=7, words="no such handle")),
        (b"18,1,0\r\n+CKR: 48\r\n", Answer(((18, 1, 0),), 48)),
    ],
)
def test_an_answer_and_its_octets(octets: bytes, answer: Answer) -> None:
    assert decode_answer(octets) == answer
    assert encode_answer(answer) == octets


@given(LINES, st.integers(0, 2**64 - 1), st.text(max_size=30))
def test_what_is_encoded_decodes_to_the_same(lines: tuple[tuple[int, ...], ...], ckr: int, words: str) -> None:
    answer = Answer(lines, ckr, words if ckr else "")
    assert decode_answer(encode_answer(answer)) == answer


@given(st.binary(max_size=60))
def test_any_octets_are_an_answer_or_a_syntax_error(octets: bytes) -> None:
    for text in (octets, octets + b"0\r", octets + b"\r\n0\r", b"+CKR: " + octets + b"\r\n"):
        try:
            answer = decode_answer(text)
        except AtSyntaxError:
            continue
        assert decode_answer(encode_answer(answer)).ckr == answer.ckr


@pytest.mark.parametrize(
    ("octets", "why"),
    [
        (b"", "ends with CR LF"),
        (b"0", "ends with CR LF"),
        (b"0\r\n", "ends with CR LF"),
        (b"1\r", "ends with CR LF"),
        (b"1\n0\r", "ends with CR LF"),
        (b"OK\r\n", "ends with CR LF"),
        (b"#19x\r\n0\r", "longer than its text"),
        (b"0\rx", "octets after"),
        (b"0\r0\r", "octets after"),
        (b"+CKR: 5\r\n0\r", "octets after"),
        (b"+CKR: 5", "ends with CR LF"),
        (b"+CKR: \r\n", "a number that is not 0"),
        (b'+CKR: "x"\r\n', "a number that is not 0"),
        (b"+CKR: 5,6\r\n", "a number that is not 0"),
        (b"+CKR: 0\r\n", "a number that is not 0"),
        (b'+CKR: 0,"fine"\r\n', "a number that is not 0"),
        (b'+CKR: 5,"x",6\r\n', "a number that is not 0"),
        (b"\r\n" * (LINES_LIMIT + 1) + b"0\r", f"more than {LINES_LIMIT} lines"),
    ],
)
def test_each_fault_is_named(octets: bytes, why: str) -> None:
    with pytest.raises(AtSyntaxError, match=why):
        decode_answer(octets)


def test_the_most_lines_that_an_answer_may_have() -> None:
    assert len(decode_answer(b"1\r\n" * LINES_LIMIT + b"0\r").lines) == LINES_LIMIT


def test_a_refusal_crosses_as_its_return_value_and_words() -> None:
    octets = encode_answer(Answer.refusal(CkrError(Ckr.PIN_INCORRECT, "two tries left")))
    assert octets == b'+CKR: 160,"two tries left"\r\n'
    with pytest.raises(CkrError, match="CKR_PIN_INCORRECT: two tries left"):
        decode_answer(octets).raise_for_ckr()


def test_a_return_value_that_nobody_knows_is_a_device_error() -> None:
    with pytest.raises(CkrError, match="CKR_DEVICE_ERROR: return value 123456789"):
        Answer(ckr=123456789).raise_for_ckr()


def test_the_only_line_of_an_answer() -> None:
    assert single(decode_answer(b"5,#12ab\r\n0\r"), int, bytes, str) == (5, b"ab", None)


@pytest.mark.parametrize("octets", [b"0\r", b"1\r\n2\r\n0\r", b"#11x\r\n0\r", b"1,2\r\n0\r"])
def test_another_number_or_kind_of_lines_is_refused(octets: bytes) -> None:
    with pytest.raises(AtSyntaxError):
        single(decode_answer(octets), int)


def test_an_answer_shows_no_plaintext() -> None:
    assert repr(Answer(((b"secret",),))) == "Answer(1 lines, ckr=0)"


@pytest.mark.parametrize(
    ("octets", "event"),
    [
        (b"+FOBGEN: 18", Event("+FOBGEN", (18,))),
        (b'+FOBASK: 3,"ssh signs",60', Event("+FOBASK", (3, "ssh signs", 60))),
        (b"+FOBTOKEN: ", Event("+FOBTOKEN")),
        (b"+A:: 1", Event("+A:", (1,))),
    ],
)
def test_an_event_and_its_octets(octets: bytes, event: Event) -> None:
    assert decode_event(octets) == event
    assert encode_event(event) == octets


@given(EVENT_NAME, LINE)
def test_an_event_that_is_encoded_decodes_to_the_same(name: str, values: tuple[int, ...]) -> None:
    assert decode_event(encode_event(Event(name, values))) == Event(name, values)


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"+FOBGEN",
        b"+FOBGEN:18",
        b"FOBGEN: 18",
        b"+: 1",
        b"+ABCDEFGHIJKLMNOPQ: 1",
        b"+X: 1\r\n",
        b"+X: 1;",
        b"+X : 1",
    ],
)
def test_what_is_no_event_is_refused(octets: bytes) -> None:
    with pytest.raises(AtSyntaxError):
        decode_event(octets)
