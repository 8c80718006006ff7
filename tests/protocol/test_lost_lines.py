"""When a line counts as lost (docs/protocol.md, section 3.5)."""

import pytest

from fob_protocol.limits import (
    OUTSTANDING_LIMIT,
    RETRIES_BEFORE_LOST,
    RETRY_AFTER,
    TRIES_LIMIT,
    WORKING_AFTER,
    WORKING_POLL,
)
from fob_protocol.session.pace import Pace
from support.session import Session, echo, open_session, slow
from support.wire import Direction


def seconds_until_lost(session: Session) -> float:
    """How long after now the PC gives the line up."""
    start = session.wire.clock.now
    session.wire.run_until(lambda: session.pc.lost_at is not None, within=100)
    assert session.pc.lost_at is not None
    return session.pc.lost_at - start


def test_an_idle_session_is_never_lost_and_needs_no_timer() -> None:
    session = open_session()
    assert session.ask(b"AT") == b"answer to AT"
    session.wire.cut()
    assert session.pc.requester.next_timer() is None
    session.wire.run_for(3_600.0)
    assert session.pc.lost_at is None


def test_a_request_into_silence_is_asked_four_times_more_and_then_the_line_is_lost() -> None:
    session = open_session()
    session.wire.cut()
    session.pc.ask(b"AT")
    assert seconds_until_lost(session) == pytest.approx(RETRY_AFTER * RETRIES_BEFORE_LOST)
    assert session.counters.sent_again >= RETRIES_BEFORE_LOST


@pytest.mark.parametrize("count", [1, 2, 5, OUTSTANDING_LIMIT])
def test_how_many_ask_does_not_change_when_a_line_is_lost(count: int) -> None:
    """However the retries fall, the silence is measured, at any speed at which it outlasts the first of them."""
    session = open_session(rate=11_520.0)
    session.wire.cut()
    for number in range(count):
        session.pc.ask(b"%d" % number)
    assert seconds_until_lost(session) == pytest.approx(Pace(11_520.0).lost_after)


def test_the_silence_before_the_first_request_is_nobodys_fault() -> None:
    session = open_session()
    session.wire.run_for(1_000.0)
    session.wire.cut()
    session.pc.ask(b"AT")
    assert seconds_until_lost(session) == pytest.approx(RETRY_AFTER * RETRIES_BEFORE_LOST)


def test_a_slow_operation_is_not_a_lost_line() -> None:
    session = open_session(lambda text: (WORKING_AFTER * 0.9, text))
    for number in range(20):
        session.ask(b"%d" % number)
    assert (session.pc.lost_at, session.counters.sent_again) == (None, 0)


def test_a_line_that_goes_while_a_person_thinks_is_lost_after_the_next_question() -> None:
    session = open_session(slow)
    session.pc.ask(b"wait")
    session.wire.run_for(20.0)
    session.wire.cut()
    assert seconds_until_lost(session) <= WORKING_POLL + RETRY_AFTER * (RETRIES_BEFORE_LOST + 2)


def test_a_few_questions_that_get_lost_while_a_person_thinks_cost_nothing() -> None:
    """The second of quiet before a question is no silence of the device's."""
    session = open_session(slow)
    session.pc.ask(b"wait")
    session.wire.run_for(WORKING_AFTER)
    session.wire.cut()
    session.wire.run_for(WORKING_POLL + 2.4 * RETRY_AFTER)
    session.wire.mend()
    session.wire.run_for(10.0)
    assert session.pc.lost_at is None


def test_any_answer_is_a_sign_of_life() -> None:
    session = open_session(slow)
    session.pc.ask(b"wait")
    session.wire.run_for(WORKING_AFTER)
    for number in range(50):
        session.ask(b"%d" % number)
        session.wire.run_for(0.2)
    assert session.pc.lost_at is None


def test_a_device_that_answers_everything_but_one_request_has_forgotten_it() -> None:
    """Its frames are well and another's go through, so silence never tells; the number of tries does."""
    session = open_session(echo)
    requester, clock = session.pc.requester, session.wire.clock
    forgotten = session.pc.ask(b"forgotten")
    requester.due(0.0)
    for _ in range(TRIES_LIMIT + 2):
        clock.now += RETRY_AFTER
        lost = requester.is_lost(clock.now)
        session.pc.ask(b"AT")
        frames = [frame for frame in requester.due(clock.now) if frame.fields != (0,)]
        for frame in frames:
            session.device.take(frame, clock.now)
        for frame in session.device.responder.due(clock.now):
            session.pc.take(frame, clock.now)
    assert lost
    assert requester.outstanding == [forgotten]


def test_a_full_house_of_requests_does_not_lose_the_line() -> None:
    session = open_session(lambda text: (0.05, text), to_device=Direction(0.2), to_pc=Direction(0.2))
    requests = [session.pc.ask(b"%d" % number) for number in range(5 * OUTSTANDING_LIMIT)]
    session.wire.run_until(lambda: len(session.pc.answers) == len(requests), within=20)
    assert session.pc.lost_at is None
