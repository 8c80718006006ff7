"""Window and parking: what the PC may have under way and what the device keeps (docs/protocol.md, 3.2)."""

import pytest

from fob_protocol.at.answer import Answer
from fob_protocol.limits import OUTSTANDING_LIMIT, PARKED_LIMIT, WINDOW, WORKING_AFTER, WORKING_POLL
from fob_protocol.link.frames import Kind
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.session.responder import Run
from support.session import answer_sent, one_sided, open_session, slow


def test_sixty_three_requests_go_beside_one_that_has_no_answer_yet() -> None:
    session = open_session(slow)
    waiting = session.pc.ask(b"wait")
    for number in range(200):
        session.pc.ask(b"%d" % number)
    session.wire.settle()
    assert len(session.pc.answers) == WINDOW - 1
    assert session.device.runs[-1][0] == WINDOW - 1

    session.wire.run_for(WORKING_AFTER)  # now it is reported by WORKING and parked
    assert len(session.pc.answers) == 200
    session.device.responder.answer(0, b"at last")
    session.wire.settle()
    assert session.pc.answers[waiting] == b"at last"


@pytest.mark.clause("P7")
def test_thousands_of_requests_go_beside_a_parked_one() -> None:
    session = open_session(slow)
    waiting = session.pc.ask(b"wait")
    session.wire.run_for(WORKING_AFTER)
    assert session.device.responder.next_timer() is None
    for number in range(5_000):
        session.ask(b"%d" % number)
    session.device.responder.answer(0, b"at last")
    session.wire.settle()
    assert session.pc.answers[waiting] == b"at last"
    assert session.device.frames_seen["RELEASE"] == 1
    assert len(session.device.runs) == 5_001


def test_a_parked_request_costs_one_short_question_a_second() -> None:
    session = open_session(slow)
    session.pc.ask(b"wait")
    session.wire.run_for(WORKING_AFTER)
    before = session.wire.to_device.written
    session.wire.run_for(10 * WORKING_POLL)
    assert session.device.frames_seen == {"REQUEST": 1, "FETCH": 10}
    assert session.wire.to_device.written - before == 10 * 25
    assert session.pc.frames_seen == {"WORKING": 11}
    assert session.pc.lost_at is None


def test_a_lost_working_is_made_good_by_the_next_question() -> None:
    session = open_session(slow)
    session.pc.ask(b"wait")
    session.wire.settle()
    session.wire.to_pc.cut()
    session.wire.run_for(WORKING_AFTER)
    session.wire.mend()
    session.wire.run_for(0.25)
    assert session.pc.frames_seen == {"WORKING": 1}


def test_the_pc_has_no_more_than_its_limit_in_flight() -> None:
    session = open_session(slow)
    for _ in range(OUTSTANDING_LIMIT + 10):
        session.pc.ask(b"wait")
    session.wire.settle()
    assert len(session.device.runs) == OUTSTANDING_LIMIT
    session.device.responder.answer(3, b"done")
    session.wire.settle()
    assert len(session.device.runs) == OUTSTANDING_LIMIT + 1
    session.wire.run_for(WORKING_AFTER)  # now they are parked
    assert len(session.device.runs) == OUTSTANDING_LIMIT + 10


def test_a_pc_that_asks_for_more_at_once_is_refused() -> None:
    pc, responder = one_sided()
    for number in range(OUTSTANDING_LIMIT):
        assert responder.receive(pc.seal(Kind.REQUEST, number, b"wait"), 0.0) == Run(number, b"wait")
    assert responder.receive(pc.seal(Kind.REQUEST, OUTSTANDING_LIMIT, b"wait"), 0.0) is None
    [frame] = responder.due(0.0)
    assert (frame.kind, frame.fields) == (Kind.ANSWER, (OUTSTANDING_LIMIT,))
    with pytest.raises(ValueError, match="not running"):
        responder.answer(OUTSTANDING_LIMIT, b"0\r")
    responder.answer(0, b"0\r")
    assert responder.receive(pc.seal(Kind.REQUEST, 99, b"wait"), 0.0) == Run(99, b"wait")


def test_the_refusal_is_a_cryptoki_return_value() -> None:
    pc, responder = one_sided()
    for number in range(OUTSTANDING_LIMIT + 1):
        responder.receive(pc.seal(Kind.REQUEST, number, b"wait"), 0.0)
    assert answer_sent(responder) == Answer(ckr=Ckr.DEVICE_MEMORY, words="more than 32 requests at once")


def test_an_answer_inside_the_window_is_kept_and_below_it_is_gone() -> None:
    pc, responder = one_sided()
    frames = [pc.seal(Kind.REQUEST, number, b"AT") for number in range(WINDOW + 1)]
    for number, frame in enumerate(frames):
        responder.receive(frame, 0.0)
        responder.answer(number, b"0\r")
    responder.due(0.0)
    assert responder.receive(frames[0], 0.0) is None
    assert (responder.due(0.0), responder.not_opened) == ([], 1)
    assert responder.receive(frames[1], 0.0) is None
    assert [frame.fields for frame in responder.due(0.0)] == [(1,)]


@pytest.mark.clause("P14")
def test_no_request_runs_again_when_its_release_was_lost() -> None:
    """More parked answers than the device keeps: those inside the window stay, so an old request never is a new one."""
    pc, responder = one_sided()
    frames = [pc.seal(Kind.REQUEST, number, b"wait") for number in range(WINDOW + PARKED_LIMIT + 10)]
    for number, frame in enumerate(frames):
        assert responder.receive(frame, float(number)) == Run(number, b"wait")
        responder.due(number + WORKING_AFTER)
        responder.answer(number, b"0\r")
        assert [responder.receive(again, float(number)) for again in frames[: number + 1]] == [None] * (number + 1)
    responder.due(1_000.0)
    for frame in frames:
        responder.receive(frame, 1_000.0)
    kept = [frame.fields[0] for frame in responder.due(1_000.0)]
    assert kept == list(range(10, WINDOW + PARKED_LIMIT + 10))


def test_a_parked_answer_is_kept_below_the_window_until_it_is_released() -> None:
    pc, responder = one_sided()
    first = pc.seal(Kind.REQUEST, 0, b"wait")
    responder.receive(first, 0.0)
    responder.due(WORKING_AFTER)
    responder.receive(pc.seal(Kind.REQUEST, 1_000, b"AT"), 1.0)
    responder.answer(0, b"0\r")
    responder.due(1.0)
    assert responder.receive(first, 1.0) is None
    assert len(responder.due(1.0)) == 1
    responder.receive(pc.seal(Kind.RELEASE, 0), 1.0)
    assert responder.receive(first, 1.0) is None
    assert responder.due(1.0) == []


def test_the_short_question_gets_the_answer_when_it_was_lost() -> None:
    session = open_session(slow)
    request = session.pc.ask(b"wait")
    session.wire.run_for(WORKING_AFTER)
    session.wire.to_pc.cut()
    session.device.responder.answer(0, b"at last")
    session.wire.settle()
    session.wire.mend()
    session.wire.run_for(WORKING_POLL)
    assert session.pc.answers[request] == b"at last"
    assert session.device.frames_seen == {"REQUEST": 1, "FETCH": 1, "RELEASE": 1}


def test_a_release_that_comes_too_early_changes_nothing() -> None:
    pc, responder = one_sided()
    responder.receive(pc.seal(Kind.RELEASE, 0), 0.0)
    assert responder.receive(pc.seal(Kind.REQUEST, 0, b"wait"), 0.0) == Run(0, b"wait")
    responder.receive(pc.seal(Kind.RELEASE, 0), 0.0)
    responder.answer(0, b"0\r")
    assert [frame.kind for frame in responder.due(0.0)] == [Kind.ANSWER]


def test_the_last_answered_are_kept_when_releases_are_lost() -> None:
    """The oldest request may be the last one that was answered: its answer is the one the PC still waits for."""
    pc, responder = one_sided()
    first = pc.seal(Kind.REQUEST, 0, b"wait")
    responder.receive(first, 0.0)
    responder.due(WORKING_AFTER)
    for number in range(1, PARKED_LIMIT + 20):
        responder.receive(pc.seal(Kind.REQUEST, number, b"wait"), 1.0)
        responder.due(2.0)
        responder.answer(number, b"0\r")
    responder.receive(pc.seal(Kind.REQUEST, 500, b"AT"), 3.0)
    responder.answer(0, b"0\r")
    responder.due(3.0)
    responder.receive(first, 3.0)
    assert [frame.fields for frame in responder.due(3.0)] == [(0,)]


def test_a_stray_answer_is_released_again() -> None:
    session = open_session(slow)
    session.pc.ask(b"wait")
    session.wire.run_for(WORKING_AFTER)
    session.device.responder.answer(0, b"done")
    [answer] = session.device.responder.due(session.wire.clock.now)
    requester = session.pc.requester
    for _ in range(2):
        session.pc.take(answer, session.wire.clock.now)
        assert [frame.kind for frame in requester.due(session.wire.clock.now)] == [Kind.RELEASE]
    assert len(session.pc.answers) == 1


def test_answering_twice_or_never_asked_is_refused() -> None:
    pc, responder = one_sided()
    responder.receive(pc.seal(Kind.REQUEST, 0, b"wait"), 0.0)
    responder.answer(0, b"0\r")
    for number in (0, 1):
        with pytest.raises(ValueError, match=f"request {number} is not running"):
            responder.answer(number, b"0\r")


def test_kinds_of_the_device_are_not_for_a_device() -> None:
    pc, responder = one_sided()
    for kind in (Kind.ANSWER, Kind.WORKING, Kind.EVENT):
        assert responder.receive(pc.seal(kind, 0, b""), 0.0) is None
    assert responder.not_opened == 3
