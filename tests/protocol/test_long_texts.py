"""Texts longer than one record, both ways (docs/protocol.md, section 3.3)."""

import pytest

from fob_protocol.at.answer import Answer
from fob_protocol.errors import RecordError
from fob_protocol.limits import ASSEMBLIES_LIMIT, PART_SIZE, PARTS_IN_FLIGHT, RETRY_AFTER, TEXT_LIMIT
from fob_protocol.link.frames import Frame, Kind
from fob_protocol.link.gatt import ATT_HEADER, SENT_VALUE_LIMIT
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.session.parts import PARTS_LIMIT, Assembly, split_text
from fob_protocol.session.records import Sealer
from fob_protocol.session.requester import Answered, Requester
from fob_protocol.session.responder import Responder, Run
from fob_protocol.session.timing import LineTiming
from support.noise import OctetNoise
from support.session import answer_sent, one_sided, open_session, seeded, session_keys, slow
from support.wire import Direction


def mirror(text: bytes) -> tuple[float, bytes]:
    """Work: the answer is as long as the request."""
    return 0.0, text[::-1]


@pytest.mark.parametrize(
    ("size", "parts"),
    [(0, 1), (1, 1), (PART_SIZE, 1), (PART_SIZE + 1, 2), (2 * PART_SIZE, 2), (TEXT_LIMIT, PARTS_LIMIT)],
)
def test_a_text_crosses_both_ways_in_as_few_frames_as_there_are_parts(size: int, parts: int) -> None:
    session = open_session(mirror)
    text = seeded(1)(size)
    assert session.ask(text) == text[::-1]
    if parts == 1:
        assert session.device.frames_seen == {"REQUEST": 1}
        assert session.pc.frames_seen == {"ANSWER": 1}
    else:
        # Two parts go as a whole.
        fetched = {"FETCH": parts - 1} if parts > 2 else {}
        assert session.device.frames_seen == {"REQUEST_PART": parts, **fetched}
        # They are acknowledged in twos, and the last one or two by the answer.
        acknowledged = {"PART_RECEIVED": parts - 1} if parts > 2 else {}
        assert session.pc.frames_seen == {**acknowledged, "ANSWER_PART": parts}
    assert session.counters.round_trips == 1


@pytest.mark.clause("P7")
@pytest.mark.parametrize("seed", range(4))
def test_long_texts_cross_a_line_that_loses(seed: int) -> None:
    to_device, to_pc = (Direction(0.01, noise=OctetNoise(0.001, seed + way)) for way in (0, 100))
    session = open_session(mirror, to_device=to_device, to_pc=to_pc)
    texts = [seeded(number)(6_000 + 1_000 * number) for number in range(4)]
    requests = [session.pc.ask(text) for text in texts]
    session.wire.run_until(lambda: len(session.pc.answers) == len(texts), within=120)
    assert [session.pc.answers[request] for request in requests] == [text[::-1] for text in texts]
    assert len(session.device.runs) == len(texts)
    assert session.counters.sent_again > 0


def test_a_short_request_goes_between_the_parts_of_a_long_one() -> None:
    session = open_session(mirror, to_device=Direction(0.01), to_pc=Direction(0.01))
    session.pc.ask(bytes(TEXT_LIMIT))
    session.wire.run_for(0.05)
    short = session.pc.ask(b"AT+C_SIGN=1")
    session.wire.run_until(lambda: short in session.pc.answers, within=0.021)
    assert session.device.frames_seen["REQUEST_PART"] < PARTS_LIMIT // 2


def test_all_long_texts_together_have_no_more_parts_under_way_than_their_limit() -> None:
    session = open_session(mirror, to_device=Direction(0.01), to_pc=Direction(0.01))
    for _ in range(3):
        session.pc.ask(bytes(TEXT_LIMIT))
    session.wire.settle()
    assert session.wire.to_device.written < (PARTS_IN_FLIGHT + 1) * PART_SIZE
    session.wire.run_for(0.01)
    assert session.device.frames_seen == {"REQUEST_PART": PARTS_IN_FLIGHT}
    session.wire.run_for(0.02)
    assert session.device.frames_seen == {"REQUEST_PART": 2 * PARTS_IN_FLIGHT}


def test_more_long_texts_than_the_device_puts_together_wait_for_their_turn() -> None:
    session = open_session(mirror, to_device=Direction(0.01), to_pc=Direction(0.01))
    requests = [session.pc.ask(bytes([number]) * 5_000) for number in range(5 * ASSEMBLIES_LIMIT)]
    short = session.pc.ask(b"AT")
    session.wire.run_for(0.02)
    assert short in session.pc.answers
    session.wire.run_until(lambda: len(session.pc.answers) == len(requests) + 1, within=10)
    assert (session.device.responder.not_opened, session.counters.sent_again) == (0, 0)


def test_an_answer_whose_parts_were_never_acknowledged_is_fetched_at_once() -> None:
    """What the device acknowledged got lost: the answer itself says that all of it arrived."""
    pc_keys, _ = session_keys()
    requester = Requester(pc_keys, LineTiming(), 0.0)
    _, responder = one_sided()
    requester.submit(bytes(4 * PART_SIZE))
    for frame in requester.due(0.0):
        responder.receive(frame, 0.0)
    responder.answer(0, bytes(9 * PART_SIZE))
    start = responder.due(0.0)[-1]
    assert start.fields == (0, 0, 9)
    requester.receive(start, 0.0)
    assert [(f.kind, f.fields[1]) for f in requester.due(0.0)] == [(Kind.FETCH, index) for index in (1, 2, 3, 4)]


def answer_in_two_parts() -> tuple[Requester, Responder, Frame, Frame]:
    """A request at 0 s, and the two frames of its answer as they went out."""
    pc_keys, device_keys = session_keys()
    requester, responder = Requester(pc_keys, LineTiming(), 0.0), Responder(device_keys)
    requester.submit(b"AT")
    (asked,) = requester.due(0.0)
    responder.receive(asked, 0.0)
    responder.answer(0, seeded(1)(2 * PART_SIZE))
    first, second = responder.due(0.0)
    assert (first.fields, second.fields) == ((0, 0, 2), (0, 1, 2))
    return requester, responder, first, second


def test_an_answer_of_two_parts_is_not_fetched() -> None:
    requester, _, first, second = answer_in_two_parts()
    assert requester.receive(first, 0.1) is None
    assert requester.due(0.1) == []
    answered = requester.receive(second, 0.1)
    assert isinstance(answered, Answered)
    assert (answered.text, requester.due(0.1), requester.next_timer()) == (seeded(1)(2 * PART_SIZE), [], None)


def test_the_second_part_that_got_lost_is_fetched_when_it_is_late() -> None:
    requester, responder, first, second = answer_in_two_parts()
    requester.receive(first, 0.1)
    assert requester.next_timer() == pytest.approx(0.1 + RETRY_AFTER)
    assert requester.due(0.3) == []
    (fetch,) = requester.due(0.1 + RETRY_AFTER)
    assert (fetch.kind, fetch.fields) == (Kind.FETCH, (0, 1))
    responder.receive(fetch, 0.4)
    assert responder.due(0.4) == [second]
    assert isinstance(requester.receive(second, 0.4), Answered)


def test_the_first_part_that_got_lost_is_fetched_at_once_and_both_come_again() -> None:
    requester, responder, first, second = answer_in_two_parts()
    requester.receive(second, 0.1)
    (fetch,) = requester.due(0.1)
    assert (fetch.kind, fetch.fields) == (Kind.FETCH, (0, 0))
    responder.receive(fetch, 0.2)
    assert responder.due(0.2) == [first, second]
    assert isinstance(requester.receive(first, 0.2), Answered)
    # What comes twice is let go of again.
    assert requester.receive(second, 0.2) is None
    assert {frame.kind for frame in requester.due(0.2)} == {Kind.RELEASE}


def test_a_parked_answer_of_two_parts_goes_out_as_a_whole_too() -> None:
    session = open_session(lambda text: (3.0, text[::-1]))
    text = seeded(1)(2 * PART_SIZE)
    assert session.ask(text) == text[::-1]
    assert session.pc.frames_seen["ANSWER_PART"] == 2
    assert session.device.frames_seen["RELEASE"] == 1


def test_when_only_the_answer_is_missing_the_last_part_asks_again() -> None:
    session = open_session(mirror)
    session.pc.ask(seeded(1)(2 * PART_SIZE + 1))
    parts = session.pc.requester.due(0.0)
    assert [part.fields for part in parts] == [(0, 0, 3), (0, 1, 3), (0, 2, 3)]
    for part in parts[:-1]:
        session.device.take(part, 0.0)
    for frame in session.device.responder.due(0.0):
        session.pc.take(frame, 0.0)
        assert session.pc.requester.due(0.0) == []
    session.device.take(parts[-1], 0.0)
    _lost_answer = session.device.responder.due(0.0)
    assert session.pc.requester.due(0.25) == [parts[-1]]


def test_a_long_request_that_waits_for_a_person_is_not_sent_over_and_over() -> None:
    session = open_session(lambda _: None)
    session.pc.ask(bytes(3 * PART_SIZE))
    session.wire.run_for(10.0)
    assert session.device.frames_seen == {"REQUEST_PART": 3, "FETCH": 9}
    assert session.pc.lost_at is None


def test_parts_come_in_any_order_and_twice() -> None:
    pc, responder = one_sided()
    text = seeded(1)(4 * PART_SIZE + 7)
    frames = [pc.seal(Kind.REQUEST_PART, 0, part, part=(i, 5)) for i, part in enumerate(split_text(text))]
    happenings, sent = [], []
    for index in (4, 2, 2, 0, 3, 4, 1, 1, 0):
        happenings.append(responder.receive(frames[index], 0.0))
        sent += responder.due(0.0)
    assert happenings == [None] * 6 + [Run(0, text), None, None]
    acknowledged = [frame.fields[1] for frame in sent if frame.kind is Kind.PART_RECEIVED]
    assert acknowledged == [4, 2, 2, 0, 3, 4, 1, 0]
    assert len(sent) - len(acknowledged) == [frame.kind for frame in sent].count(Kind.WORKING) == 2


def test_a_text_over_the_limit_is_refused_where_it_is_made() -> None:
    session = open_session(mirror)
    with pytest.raises(ValueError, match="65537 octets, the limit is 65536"):
        session.pc.ask(bytes(TEXT_LIMIT + 1))


def test_an_answer_over_the_limit_changes_nothing_and_another_one_can_be_given() -> None:
    pc, responder = one_sided()
    request = pc.seal(Kind.REQUEST, 0, b"AT")
    responder.receive(request, 0.0)
    with pytest.raises(ValueError, match="65537 octets"):
        responder.answer(0, bytes(TEXT_LIMIT + 1))
    assert responder.receive(request, 0.0) is None
    assert [frame.kind for frame in responder.due(0.0)] == [Kind.WORKING]
    responder.answer(0, b"0\r")
    assert answer_sent(responder) == Answer()


def test_a_text_that_is_announced_too_long_is_refused_and_never_run() -> None:
    pc, responder = one_sided()
    part = pc.seal(Kind.REQUEST_PART, 0, bytes(PART_SIZE), part=(0, PARTS_LIMIT + 1))
    for _ in range(2):
        assert responder.receive(part, 0.0) is None
        refusal = answer_sent(responder)
        assert (refusal.ckr, refusal.words) == (Ckr.DATA_LEN_RANGE, "a text of more than 65536 octets")


def test_a_text_of_no_parts_is_dropped() -> None:
    pc, responder = one_sided()
    responder.receive(pc.seal(Kind.REQUEST_PART, 0, b"x", part=(0, 0)), 0.0)
    assert (responder.not_opened, responder.due(0.0)) == (1, [])


def test_a_ninth_text_at_once_is_dropped_until_there_is_room() -> None:
    pc, responder = one_sided()
    for number in range(ASSEMBLIES_LIMIT):
        responder.receive(pc.seal(Kind.REQUEST_PART, number, bytes(PART_SIZE), part=(0, 2)), 0.0)
    ninth = pc.seal(Kind.REQUEST_PART, 8, bytes(PART_SIZE), part=(0, 2))
    responder.receive(ninth, 0.0)
    assert responder.not_opened == 1
    responder.receive(pc.seal(Kind.REQUEST_PART, 0, b"x", part=(1, 2)), 0.0)
    responder.receive(ninth, 0.0)
    assert responder.not_opened == 1
    assert responder.receive(pc.seal(Kind.REQUEST_PART, 8, b"x", part=(1, 2)), 0.0) == Run(8, bytes(PART_SIZE) + b"x")


@pytest.mark.parametrize(
    ("index", "total", "size"),
    [(0, 3, PART_SIZE), (2, 2, 1), (0, 2, PART_SIZE - 1), (0, 2, PART_SIZE + 1), (1, 2, 0), (1, 2, PART_SIZE + 1)],
)
def test_a_part_that_does_not_fit_is_refused(index: int, total: int, size: int) -> None:
    assembly = Assembly(2)
    with pytest.raises(RecordError, match="does not fit"):
        assembly.add(index, total, bytes(size))
    assert (assembly.missing(), assembly.text()) == ([0, 1], None)


@pytest.mark.parametrize("total", [0, PARTS_LIMIT + 1])
def test_a_text_has_a_bounded_number_of_parts(total: int) -> None:
    with pytest.raises(RecordError, match=f"the limit is {PARTS_LIMIT}"):
        Assembly(total)


@pytest.mark.parametrize("index", [0, 1, 5, 65_535])
def test_fetching_what_is_not_there_is_dropped(index: int) -> None:
    pc, responder = one_sided()
    fetch = pc.seal(Kind.FETCH, 0, part=(index,))
    responder.receive(fetch, 0.0)
    assert (responder.not_opened, responder.due(0.0)) == (1, [])
    responder.receive(pc.seal(Kind.REQUEST, 0, b"AT"), 0.0)
    responder.answer(0, b"0\r")
    responder.due(0.0)
    responder.receive(fetch, 0.0)
    assert len(responder.due(0.0)) == (index == 0)


def test_an_answer_part_that_does_not_fit_the_others_is_counted() -> None:
    session = open_session(slow)
    session.pc.ask(b"wait")
    session.wire.settle()
    device = Sealer(session_keys()[1].send)
    for index, total, size in ((0, 3, PART_SIZE), (1, 2, 1), (2, 4, PART_SIZE), (1, 3, 5)):
        session.pc.take(device.seal(Kind.ANSWER_PART, 0, bytes(size), part=(index, total)), 0.0)
    assert session.counters.not_opened == 3
    assert session.pc.answers == {}


def test_frames_show_no_text() -> None:
    assert "secret" not in repr(Run(1, b"secret"))
    assert "secret" not in repr(Frame(Kind.REQUEST, (1,), b"secret"))
    assert "secret" not in repr(open_session(slow).pc.ask(b"secret"))


def test_a_full_part_is_one_value_by_radio_and_two_packets_of_the_air() -> None:
    _, _, first, _ = answer_in_two_parts()
    assert len(first.to_bytes()) <= SENT_VALUE_LIMIT
    # COBS adds at most an octet in 254.
    assert len(Frame(Kind.ANSWER_PART, (1, 1, 2), b"x" * len(first.body)).to_bytes()) <= SENT_VALUE_LIMIT
    # With what ATT and L2CAP put before it.
    assert SENT_VALUE_LIMIT + ATT_HEADER + 4 == 2 * 251
