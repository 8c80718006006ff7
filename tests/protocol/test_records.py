"""Records: what is sealed, and that none opens in another place than its own (docs/protocol.md, section 3)."""

import random

import pytest
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from hypothesis import given
from hypothesis import strategies as st

from fob_protocol.errors import RecordError
from fob_protocol.link.frames import Frame, Kind
from fob_protocol.session.records import NUMBER_SPAN, Opener, Sealer, complete_number
from fob_protocol.session.requester import Counters, EventArrived, Requester
from fob_protocol.session.responder import Closed, Responder, Run
from fob_protocol.session.timing import LineTiming
from support.session import session_keys

KEY = b"k" * 32
# Each kind of record with number 3: its part fields and its text.
SEALED: dict[Kind, tuple[tuple[int, ...], bytes]] = {
    Kind.REQUEST: ((), b"AT+C_SIGN=1"),
    Kind.REQUEST_PART: ((1, 2), b"second half"),
    Kind.FETCH: ((1,), b""),
    Kind.CANCEL: ((), b""),
    Kind.RELEASE: ((), b""),
    Kind.EVENT_RECEIVED: ((), b""),
    Kind.ANSWER: ((), b"0\r"),
    Kind.ANSWER_PART: ((1, 2), b"rest"),
    Kind.PART_RECEIVED: ((1,), b""),
    Kind.WORKING: ((), b""),
    Kind.EVENT: ((), b"+FOBGEN: 1"),
}
KINDS = pytest.mark.parametrize("kind", SEALED, ids=lambda kind: kind.name)


def sealed(kind: Kind, key: bytes = KEY, number: int = 3) -> Frame:
    """A record of this kind."""
    part, text = SEALED[kind]
    return Sealer(key).seal(kind, number, text, part=part)


@pytest.mark.clause("P14")
def test_a_record_is_rfc_8439_with_the_nonce_of_the_specification() -> None:
    number = 0x0001_2345
    frame = Sealer(KEY).seal(Kind.REQUEST_PART, number, b"text", part=(7, 9))
    assert frame.header == bytes.fromhex("11 2345 0007 0009")
    nonce = bytes.fromhex("11 00 0007 0000000000012345")
    assert ChaCha20Poly1305(KEY).decrypt(nonce, frame.body, frame.header) == b"text"
    assert len(frame.body) == len(b"text") + 16


def test_the_last_record_of_a_session() -> None:
    frame = Sealer(KEY).seal(Kind.CLOSE, 0)
    assert (frame.header, len(frame.body)) == (b"\x16", 16)
    assert Opener(KEY).open(frame, 0) == b""


@KINDS
def test_a_record_opens_in_its_own_place(kind: Kind) -> None:
    assert Opener(KEY).open(sealed(kind), 3) == SEALED[kind][1]


@KINDS
def test_sealing_again_gives_the_same_octets(kind: Kind) -> None:
    assert sealed(kind).to_bytes() == sealed(kind).to_bytes()


@KINDS
@pytest.mark.parametrize("number", [0, 2, 4, 3 + NUMBER_SPAN])
def test_a_record_opens_under_no_other_number(kind: Kind, number: int) -> None:
    with pytest.raises(RecordError, match=kind.name):
        Opener(KEY).open(sealed(kind), number)


@KINDS
def test_a_record_opens_with_no_other_field(kind: Kind) -> None:
    frame = sealed(kind)
    for place, value in enumerate(frame.fields):
        fields = (*frame.fields[:place], value + 1, *frame.fields[place + 1 :])
        with pytest.raises(RecordError):
            Opener(KEY).open(Frame(kind, fields, frame.body), 3)


@KINDS
@pytest.mark.parametrize("other", SEALED, ids=lambda kind: kind.name)
def test_a_record_opens_as_no_other_kind(kind: Kind, other: Kind) -> None:
    frame, shape = sealed(kind), sealed(other)
    if kind is not other:
        with pytest.raises(RecordError):
            Opener(KEY).open(Frame(other, shape.fields, frame.body), 3)


@KINDS
def test_a_record_that_is_shorter_longer_or_changed_does_not_open(kind: Kind) -> None:
    frame = sealed(kind)
    bodies = [frame.body[:size] for size in range(len(frame.body))] + [frame.body + b"\0"]
    bodies += [
        frame.body[:at] + bytes((frame.body[at] ^ 0x80,)) + frame.body[at + 1 :] for at in range(len(frame.body))
    ]
    for body in bodies:
        with pytest.raises(RecordError):
            Opener(KEY).open(Frame(kind, frame.fields, body), 3)


@KINDS
def test_a_record_of_another_session_does_not_open(kind: Kind) -> None:
    with pytest.raises(RecordError):
        Opener(KEY).open(sealed(kind, b"o" * 32), 3)


def two_ends() -> tuple[Requester, Responder, Counters]:
    """Both ends of one session, and what the PC counts."""
    pc_keys, device_keys = session_keys()
    counters = Counters()
    return Requester(pc_keys, LineTiming(), 0.0, counters), Responder(device_keys), counters


@KINDS
@pytest.mark.clause("P14")
def test_a_record_sent_back_to_its_sender_is_refused(kind: Kind) -> None:
    """Neither end takes what it sealed itself, whichever direction's kind it is."""
    pc_keys, device_keys = session_keys()
    requester, responder, counters = two_ends()
    requester.submit(b"AT")
    requester.due(0.0)
    requester.receive(sealed(kind, pc_keys.send, 0), 0.0)
    assert responder.receive(sealed(kind, device_keys.send, 0), 0.0) is None
    assert counters.not_opened == 1
    assert responder.not_opened == 1
    assert len(requester.outstanding) == 1
    assert responder.due(0.0) == []


@pytest.mark.clause("P14")
def test_a_replayed_request_gets_its_answer_again_and_does_not_run_again() -> None:
    requester, responder, _ = two_ends()
    requester.submit(b"AT+C_SIGN=1")
    [frame] = requester.due(0.0)
    assert responder.receive(frame, 0.0) == Run(0, b"AT+C_SIGN=1")
    responder.answer(0, b"0\r")
    [answer] = responder.due(0.0)
    for _ in range(100):
        assert responder.receive(frame, 0.0) is None
        assert responder.due(0.0) == [answer]


@pytest.mark.clause("P14")
def test_whatever_is_replayed_in_whatever_order_each_request_runs_once() -> None:
    """An attacker keeps every record of a session and plays all of them again and again, shuffled, as it goes on."""
    requester, responder, _ = two_ends()
    recorded: list[Frame] = []
    runs: list[int] = []
    shuffle = random.Random(5)
    for number in range(300):
        requester.submit(b"AT+C_SIGN=%d" % number)
        fresh = requester.due(0.0)
        recorded += fresh
        for frame in [*shuffle.sample(recorded, min(len(recorded), 40)), *fresh]:
            happening = responder.receive(frame, 0.0)
            if isinstance(happening, Run):
                runs.append(happening.number)
                # Every third takes a while and is parked, so that there are RELEASE records to replay too.
                for answer in responder.due(1.0 if happening.number % 3 == 0 else 0.0):
                    requester.receive(answer, 0.0)
                responder.answer(happening.number, b"answer %d" % happening.number)
            for answer in responder.due(0.0):
                requester.receive(answer, 0.0)
        recorded += requester.due(0.0)
    assert runs == list(range(300))
    assert requester.outstanding == []


def test_requests_that_arrive_in_another_order_run_once_each() -> None:
    requester, responder, _ = two_ends()
    requests = [requester.submit(b"AT+C_SIGN=%d" % number) for number in range(20)]
    frames = requester.due(0.0)
    random.Random(1).shuffle(frames)
    runs = [responder.receive(frame, 0.0) for frame in frames + frames]
    assert sorted(run.text for run in runs if isinstance(run, Run)) == sorted(r.text for r in requests)


def test_the_end_of_a_session_is_sealed_too() -> None:
    requester, responder, _ = two_ends()
    close = requester.close()
    assert responder.receive(Frame(Kind.CLOSE, (), bytes(16)), 0.0) is None
    assert responder.receive(close, 0.0) == Closed()


@pytest.mark.parametrize("frame", [Frame(Kind.PAIR, (1,)), Frame(Kind.HANDSHAKE, (1,)), Frame(Kind.REFUSE, (1,))])
def test_frames_that_are_no_records_change_nothing(frame: Frame) -> None:
    requester, responder, counters = two_ends()
    assert requester.receive(frame, 0.0) is None
    assert responder.receive(frame, 0.0) is None
    assert (counters.not_opened, responder.not_opened) == (1, 1)


def test_an_event_opens_for_the_pc() -> None:
    requester, responder, _ = two_ends()
    responder.emit(b"+FOBGEN: 1", 0.0)
    [frame] = responder.due(0.0)
    assert requester.receive(frame, 0.0) == EventArrived(0, b"+FOBGEN: 1")


@pytest.mark.parametrize(
    ("low", "highest", "full"),
    [
        (0, 0, 0),
        (5, 3, 5),
        (65535, 0, 65535),
        (0, 65535, 65536),
        (1, 65535, 65537),
        (65535, 65536, 65535),
        (0x2345, 0x12300, 0x12345),
        (32767, 0, 32767),
        (40000, 65536 * 7, 65536 * 6 + 40000),
    ],
)
def test_two_octets_become_the_nearest_number(low: int, highest: int, full: int) -> None:
    assert complete_number(low, highest) == full


@given(st.integers(0, 2**63), st.integers(-32767, 32767))
def test_any_number_within_half_a_span_is_found(highest: int, distance: int) -> None:
    number = highest + distance
    if number >= 0:
        assert complete_number(number % NUMBER_SPAN, highest) == number
