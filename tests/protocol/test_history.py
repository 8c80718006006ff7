"""Entries, records and heads of a history: their octets, and what is refused (docs/protocol.md, section 4.2)."""

from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fob_protocol.at.answer import Answer, decode_answer, encode_answer
from fob_protocol.at.values import encode_values
from fob_protocol.caller import Caller, Purpose
from fob_protocol.errors import AtSyntaxError
from fob_protocol.history.entry import By, Entry, Kind, Outcome, Use, computer_id
from fob_protocol.history.head import End, Head
from fob_protocol.history.limits import DETAILS_LIMIT, RECORD_LIMIT
from fob_protocol.history.record import GENESIS, LogKey, Record, SignedRecord, details_digest
from fob_protocol.history.words import entry_words, outcome_words
from fob_protocol.limits import NAME_LIMIT
from support.history import LOG_KEY, NONCE, PC, chain, head_of

GIT = Caller(("ssh", "git", "zsh"), Purpose.LOGIN, "github.com")
USE = Entry(
    Kind.USE, Outcome.APPROVED, By.TAP, time=1_800_000_000, boot=3, computer=computer_id(PC), pc_name="me@pc",
    caller=GIT, use=Use.SIGN, key_label="work", key=7, uses=12,
)  # fmt: skip

# Public key of the seed 00 01 .. 1f (as in other Ed25519 test suites), computer, hash, signature.
VECTORS = (
    "03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8",
    "b6992f7e45f6eb65fb1e99edfa2291ff",
    "ed6e54ec0a233e2946809a1c809ccb327bcdbc96cefded7182d0485c28a1e61d",
    "c41f743b6f041c56e1342d5d41cee9ea6389356c6d2167936a1c1a32ee3a935d"
    "fb2986592ffd830b34e0528a415783022567ecf08f7f51ce9056901ab7af6205",
)
HEAD_SIGNATURE = (
    "a105bc700f8c7b0a89980543d99566d3537b1f2a1d86b46f7de9adf42a076c9b"
    "9a7a8beeedd5fac0e409f6e30b5f520dfa5c752cd2941c3f585fe2e55bf1690d"
)

texts = st.text(max_size=300)
numbers = st.integers(0, (1 << 64) - 1)
callers = st.builds(
    Caller,
    st.lists(st.text(max_size=40), max_size=8).map(tuple),
    st.sampled_from(Purpose),
    texts,
    st.text(max_size=70),
    st.booleans(),
)
entries = st.builds(
    Entry, st.sampled_from(Kind), st.sampled_from(Outcome), st.sampled_from(By), numbers, numbers,
    st.sampled_from([b"", computer_id(PC)]), texts, callers, st.sampled_from(Use), texts, numbers, numbers, texts,
)  # fmt: skip


@given(entries)
def test_details_say_what_the_entry_says(entry: Entry) -> None:
    assert Entry.from_block(entry.to_block()) == entry


@given(st.binary(max_size=200))
def test_other_octets_are_no_details(octets: bytes) -> None:
    with suppress(AtSyntaxError):
        Entry.from_block(octets)


def test_the_longest_entry_keeps_within_its_limit() -> None:
    long = "\N{GRINNING FACE}" * 300
    entry = replace(
        USE, pc_name=long, key_label=long, words=long, caller=Caller((long,) * 9, host=long, namespace=long)
    )
    assert len(entry.to_block()) <= DETAILS_LIMIT
    assert (len(entry.pc_name), len(entry.key_label)) == (NAME_LIMIT, NAME_LIMIT)


def test_what_steers_a_screen_is_taken_out() -> None:
    entry = replace(USE, key_label="a\x1b[2Jb", words="c\nd", pc_name="e\N{RIGHT-TO-LEFT OVERRIDE}f")
    assert (entry.key_label, entry.words, entry.pc_name) == ("a�[2Jb", "c�d", "e�f")


def test_a_later_version_may_know_more() -> None:
    measured = replace(USE, integrity_value=bytes(range(32)))
    assert Entry.from_block(measured.to_block() + b',1,"new"') == measured
    assert Entry.from_block(b"99" + USE.to_block()[1:]).kind is Kind.UNKNOWN


@pytest.mark.clause("V19")
def test_the_integrity_value_of_what_did_it_stands_last_and_only_where_there_is_one() -> None:
    measured = replace(USE, integrity_value=bytes(range(32)))
    assert measured.to_block() == USE.to_block() + b",#232" + bytes(range(32))
    assert Entry.from_block(measured.to_block()) == measured
    assert Entry.from_block(USE.to_block()).integrity_value == b""


@pytest.mark.parametrize(
    "block",
    [
        b"",
        b"1,1,1",
        b"x" * (DETAILS_LIMIT + 1),
        USE.to_block().replace(b"#216", b"#215", 1),
        USE.to_block() + b"\r",
        USE.to_block() + b",#10",
        USE.to_block() + b",#231" + bytes(31),
        USE.to_block() + b",7",
    ],
)
def test_what_is_no_entry(block: bytes) -> None:
    with pytest.raises(AtSyntaxError):
        Entry.from_block(block)


@pytest.mark.parametrize(
    "block",
    [
        b"",
        b"0,#232" + bytes(32) + b",#232" + bytes(32),
        b"01,#232" + bytes(32) + b",#232" + bytes(32),
        b"1,#3032" + bytes(32) + b",#232" + bytes(32),
        b"1,#231" + bytes(31) + b",#232" + bytes(32),
        b"1,#232" + bytes(32),
        b"1,#232" + bytes(32) + b",#232" + bytes(32) + b",",
        bytes(RECORD_LIMIT + 1),
    ],
)
def test_a_record_is_written_in_one_way_only(block: bytes) -> None:
    with pytest.raises(AtSyntaxError):
        Record.from_block(block)


def test_the_octets_of_a_record() -> None:
    """Fixed: whoever writes another verifier finds the same."""
    details = USE.to_block()
    assert details == (
        b"1,1,1,1800000000,3,#216" + computer_id(PC) + b",#15me@pc,#243"
        b"1,0,#210github.com,#10,#13ssh,#13git,#13zsh,1,#14work,7,12,#10"
    )
    signed = SignedRecord.make(LOG_KEY, 1, GENESIS, bytes(16), details)
    assert (LOG_KEY.public.hex(), computer_id(PC).hex(), signed.hash.hex(), signed.signature.hex()) == VECTORS
    assert signed.block == b"1,#232" + GENESIS + b",#232" + details_digest(bytes(16), details)


def test_the_octets_of_a_head() -> None:
    head = Head.make(LOG_KEY, End(1, 2, bytes(range(32))), NONCE)
    assert head.end.message(NONCE).hex() == (
        b"Fob history head 1".hex() + NONCE.hex() + "0000000000000001" + "0000000000000002" + bytes(range(32)).hex()
    )
    assert head.signature.hex() == HEAD_SIGNATURE
    assert head.is_signed_by(LOG_KEY.public)


def test_records_and_heads_travel_in_an_answer() -> None:
    mine, other = chain(2)
    other = other.without_details()
    answer = decode_answer(encode_answer(Answer((mine.to_values(), other.to_values(), head_of([]).to_values()))))
    assert [SignedRecord.from_values(line) for line in answer.lines[:2]] == [mine, other]
    assert Head.from_values(answer.lines[2], NONCE) == head_of([])
    damaged = replace(mine, details=b"")
    assert SignedRecord.from_values(damaged.to_values()) == damaged


@pytest.mark.parametrize(
    "values",
    [
        (),
        (b"",),
        (b"", b"", b""),
        (b"", b"", None, b""),
        (1, b""),
        (b"", b"", b"", bytes(DETAILS_LIMIT + 1)),
        (b"", b"", b"", b"", b""),
    ],
)
def test_what_is_no_line_of_a_record(values: tuple[bytes | int | None, ...]) -> None:
    with pytest.raises(AtSyntaxError):
        SignedRecord.from_values(values)


@pytest.mark.parametrize(
    "values",
    [
        (),
        (1, 0, bytes(31), bytes(32), bytes(64)),
        (1, 0, bytes(32), bytes(31), bytes(64)),
        (1, 0, bytes(32), bytes(32), bytes(63)),
        (0, 0, bytes(32), bytes(32), bytes(64)),
        (3, 1, bytes(32), bytes(32), bytes(64)),
        (1, 0, b"x" * 32, bytes(32), bytes(64)),
    ],
)
def test_what_is_no_head(values: tuple[bytes | int, ...]) -> None:
    with pytest.raises(AtSyntaxError):
        Head.from_values(values, NONCE)


def test_a_nonce_has_one_size() -> None:
    with pytest.raises(ValueError, match="32 octets"):
        Head.make(LOG_KEY, End(), bytes(31))


def test_a_log_key_does_not_show_itself() -> None:
    assert bytes(range(32)).hex() not in repr(LogKey(bytes(range(32))))


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        (USE, "log in to github.com with 'work' for ssh <- git <- zsh on me@pc"),
        (
            replace(USE, caller=replace(GIT, purpose=Purpose.SIGNATURE, host="", namespace="git", is_forwarded=True)),
            "sign a git commit with 'work' for ssh <- git <- zsh on me@pc, from another machine (forwarded agent)",
        ),
        (replace(USE, caller=Caller(), use=Use.DECRYPT), "decrypt with 'work' for me@pc"),
        (Entry(Kind.UNLOCKED), "phone unlocked"),
        (Entry(Kind.PAIRED, pc_name="me@pc"), "computer paired, me@pc"),
        (Entry(Kind.KEY_MADE, key_label="work", key=7, pc_name="me@pc"), "key made: 'work', me@pc"),
        (Entry(Kind.WRONG_PIN, words="2 tries left"), "wrong PIN: 2 tries left"),
        (
            Entry(Kind.SETTING_CHANGED, key_label="work", words="ask always"),
            "setting changed: 'work', ask always",
        ),
    ],
)
def test_entries_in_words(entry: Entry, words: str) -> None:
    assert entry_words(entry) == words


def test_every_kind_has_words() -> None:
    assert len({entry_words(Entry(kind)) for kind in Kind}) == len(Kind)


@pytest.mark.parametrize(
    ("outcome", "by", "words"),
    [
        (Outcome.APPROVED, By.TAP, "approved by a tap"),
        (Outcome.APPROVED, By.GRANT, "approved by a grant"),
        (Outcome.REFUSED, By.RULE, "refused by a rule"),
        (Outcome.APPROVED, By.SETTING, "approved by the key's setting"),
        (Outcome.OUT_OF_TIME, By.NONE, "nobody answered"),
        (Outcome.WITHDRAWN, By.NONE, "withdrawn by the computer"),
        (Outcome.NONE, By.NONE, ""),
    ],
)
def test_decisions_in_words(outcome: Outcome, by: By, words: str) -> None:
    assert outcome_words(replace(USE, outcome=outcome, by=by)) == words


def test_values_are_encoded_as_everywhere() -> None:
    assert encode_values((1, GENESIS)) == b"1,#232" + GENESIS
