"""Hundreds of requests that wait for a person, and everybody else beside them (docs/protocol.md, section 3.2)."""

from collections import Counter

import pytest

from fob_protocol.at.answer import Answer
from fob_protocol.limits import (
    HELD_OCTETS,
    OUTSTANDING_LIMIT,
    PARKED_LIMIT,
    PART_SIZE,
    POLL_OCTETS,
    POLL_SHARE,
    TEXT_LIMIT,
    WORKING_AFTER,
    WORKING_POLL,
)
from fob_protocol.link.frames import Kind
from fob_protocol.link.gatt import LONGEST_INTERVAL
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.session.air import air_pace
from fob_protocol.session.pace import Pace
from fob_protocol.session.request import Request
from fob_protocol.session.responder import Run
from support.noise import OctetNoise
from support.session import Session, answer_sent, one_sided, open_session
from support.wire import Direction

pytestmark = pytest.mark.clause("P7")

AT_9600 = 960.0  # octets a second: ten bits each
MANY = 200
# What a question and a short answer of somebody else take at 9,600 baud, one poll and one event being before them.
SOON = 0.5


def at_locked_phone(text: bytes) -> tuple[float, bytes] | None:
    """Work: a signature waits for the person; everything else is answered at once."""
    return None if text.startswith(b"AT+C_SIGN") else (0.0, b"answer to " + text)


def crowd(session: Session, count: int) -> list[Request]:
    """So many programs want a signature, and time enough passes that all are parked that may be, and a second more."""
    requests = [session.pc.ask(b"AT+C_SIGN=%04d,,#232" % number + bytes(32)) for number in range(count)]
    enough = min(count, PARKED_LIMIT)
    session.wire.run_until(lambda: sum(request.parked for request in requests) == enough, within=30)
    session.wire.run_for(1.0)
    return requests


def slow_line(noise: float = 0.0) -> Session:
    """A session over a serial line at 9,600 baud."""
    noises = OctetNoise(noise, 1), OctetNoise(noise, 2)
    to_device, to_pc = (Direction(rate=AT_9600, frame_by_frame=True, noise=one) for one in noises)
    return open_session(at_locked_phone, to_device=to_device, to_pc=to_pc, rate=AT_9600)


def answer_all(session: Session) -> None:
    """The person unlocks the phone."""
    for number, text in session.device.runs:
        session.device.responder.answer(number, b"signature for " + text[10:14] + bytes(64))


def seconds_for(session: Session, text: bytes) -> float:
    """How long somebody else's request takes."""
    began = session.wire.clock.now
    session.ask(text)
    return session.wire.clock.now - began


def test_fifty_at_once_all_wait_at_the_device() -> None:
    session = open_session(at_locked_phone)
    requests = crowd(session, 50)
    assert len(session.device.runs) == 50
    answer_all(session)
    session.wire.settle()
    assert [session.pc.answers[request][14:18] for request in requests] == [b"%04d" % number for number in range(50)]
    assert max(Counter(session.device.runs).values()) == 1


def test_of_more_than_the_bound_the_others_wait_at_the_pc_in_their_order() -> None:
    session = open_session(at_locked_phone)
    requests = crowd(session, PARKED_LIMIT + 40)
    session.wire.run_for(10.0)
    assert [request.sent for request in requests] == PARKED_LIMIT * [True] + 40 * [False]
    assert session.pc.requester.is_crowded
    session.device.responder.answer(7, b"done")
    session.wire.run_for(1.0)
    assert [request.sent for request in requests[-40:]] == [True] + 39 * [False]
    session.pc.requester.cancel(requests[-1])
    session.wire.settle()
    assert requests[-1] not in session.pc.requester.outstanding


def test_what_needs_nobody_passes_them_at_any_time() -> None:
    session = open_session(at_locked_phone)
    crowd(session, PARKED_LIMIT + 40)
    requests = [session.pc.requester.submit(b"AT+FOBGRANTS", may_wait=False) for _ in range(5 * OUTSTANDING_LIMIT)]
    session.wire.settle()
    assert {session.pc.answers[request] for request in requests} == {b"answer to AT+FOBGRANTS"}


def test_at_the_pc_what_needs_nobody_and_what_may_wait_go_in_turns() -> None:
    session = open_session(lambda text: None)
    requester = session.pc.requester
    for number in range(OUTSTANDING_LIMIT + 10):
        requester.submit(b"sign %d" % number)
    session.wire.settle()
    for number in range(2):
        requester.submit(b"read %d" % number, may_wait=False)
    session.wire.run_for(WORKING_AFTER)
    order = [text.decode() for _, text in session.device.runs[OUTSTANDING_LIMIT:]]
    assert order == ["read 0", "sign 32", "read 1", *(f"sign {number}" for number in range(33, 42))]


def test_a_pc_that_lets_more_wait_is_refused() -> None:
    pc, responder = one_sided()
    for number in range(PARKED_LIMIT + OUTSTANDING_LIMIT):
        assert responder.receive(pc.seal(Kind.REQUEST, number, b"wait"), float(number)) == Run(number, b"wait")
        responder.due(number + WORKING_AFTER)
    number = PARKED_LIMIT + OUTSTANDING_LIMIT
    assert responder.receive(pc.seal(Kind.REQUEST, number, b"wait"), float(number)) is None
    assert answer_sent(responder) == Answer(ckr=Ckr.DEVICE_MEMORY, words="more than 256 requests wait")


def test_texts_that_wait_have_a_bound_in_octets_on_both_sides() -> None:
    session = open_session(lambda text: None)
    longest = [session.pc.ask(bytes(TEXT_LIMIT)) for _ in range(HELD_OCTETS // TEXT_LIMIT)]
    session.wire.run_until(lambda: all(request.parked for request in longest), within=10)
    more, short = session.pc.ask(bytes(PART_SIZE)), session.pc.ask(b"")
    session.wire.run_for(10.0)
    assert (more.sent, short.sent) == (False, True)

    sealer, responder = one_sided()
    for number in range(PARKED_LIMIT):
        responder.receive(sealer.seal(Kind.REQUEST, number, bytes(HELD_OCTETS // PARKED_LIMIT)), float(number))
        responder.due(number + WORKING_AFTER)
    assert responder.receive(sealer.seal(Kind.REQUEST, PARKED_LIMIT, b"x"), 1_000.0) is None
    words = "requests of more than 4194304 octets at once"
    assert answer_sent(responder) == Answer(ckr=Ckr.DEVICE_MEMORY, words=words)


def test_over_a_line_without_a_speed_each_is_asked_about_every_second() -> None:
    session = open_session(at_locked_phone)
    crowd(session, PARKED_LIMIT)
    polls, before = session.device.frames_seen["FETCH"], session.wire.to_device.written
    session.wire.run_for(10 * WORKING_POLL)
    assert session.device.frames_seen["FETCH"] - polls == 10 * PARKED_LIMIT
    assert session.wire.to_device.written - before == 10 * PARKED_LIMIT * POLL_OCTETS


def test_over_a_slow_line_polls_take_their_share_and_no_more() -> None:
    session = slow_line()
    crowd(session, MANY)
    polls, down, up = session.device.frames_seen["FETCH"], session.wire.to_device.written, session.wire.to_pc.written
    # Once each.
    seconds = MANY * Pace(AT_9600).poll_spacing
    session.wire.run_for(seconds)
    assert MANY - 1 <= session.device.frames_seen["FETCH"] - polls <= MANY + 1
    assert (session.wire.to_device.written - down) / seconds <= POLL_SHARE * AT_9600 + 2
    assert (session.wire.to_pc.written - up) / seconds <= POLL_SHARE * AT_9600 + 2
    assert (session.pc.lost_at, session.device.responder.answered_again) == (None, 0)


def test_beside_them_a_slow_line_serves_whoever_needs_nobody() -> None:
    session = slow_line()
    crowd(session, MANY)
    assert max(seconds_for(session, b"AT+FOBGRANTS") for _ in range(20)) < SOON
    assert session.device.frames_seen["REQUEST"] == MANY + 20


def test_a_few_are_asked_about_every_second_over_a_slow_line_too() -> None:
    session = slow_line()
    crowd(session, 5)
    before = session.device.frames_seen["FETCH"]
    session.wire.run_for(10 * (WORKING_POLL + 2 * POLL_OCTETS / AT_9600))
    assert session.device.frames_seen["FETCH"] - before >= 5 * 9


@pytest.mark.parametrize("count", [1, 5, MANY])
def test_how_many_wait_does_not_change_when_a_line_is_lost(count: int) -> None:
    session = slow_line()
    crowd(session, count)
    session.wire.run_for(5.0)
    session.wire.cut()
    start = session.wire.clock.now
    session.wire.run_until(lambda: session.pc.lost_at is not None, within=60)
    assert session.pc.lost_at is not None
    assert session.pc.lost_at - start <= max(WORKING_POLL, Pace(AT_9600).poll_spacing) + Pace(AT_9600).lost_after


def test_one_tap_answers_them_all_over_a_slow_line_and_nothing_is_asked_for_twice() -> None:
    session = slow_line()
    requests = crowd(session, MANY)
    answer_all(session)
    session.wire.run_until(lambda: len(session.pc.answers) == MANY, within=40)
    assert [session.pc.answers[request][14:18] for request in requests] == [b"%04d" % number for number in range(MANY)]
    # Those that were asked about when the person tapped may come twice.
    assert session.device.responder.answered_again <= 3
    assert session.device.frames_seen["REQUEST"] == MANY


@pytest.mark.parametrize("seed", range(3))
def test_over_a_noisy_slow_line_none_is_lost_and_none_runs_twice(seed: int) -> None:
    session = slow_line()
    requests = crowd(session, MANY)
    for direction, way in ((session.wire.to_device, 0), (session.wire.to_pc, 100)):
        direction.noise = OctetNoise(0.002, seed + way)
    answer_all(session)
    session.wire.run_until(lambda: len(session.pc.answers) == MANY, within=120)
    assert [session.pc.answers[request][14:18] for request in requests] == [b"%04d" % number for number in range(MANY)]
    assert session.pc.lost_at is None


def test_when_all_are_withdrawn_over_a_slow_line_others_are_served_between() -> None:
    session = slow_line()
    requests = crowd(session, MANY)
    for request in requests:
        session.pc.requester.cancel(request)
    assert max(seconds_for(session, b"AT+FOBGRANTS") for _ in range(5)) < 2 * SOON
    session.wire.run_until(lambda: len(set(session.device.withdrawn)) == MANY, within=3 * MANY * POLL_OCTETS / AT_9600)
    assert session.pc.lost_at is None


def test_over_a_quick_line_all_are_withdrawn_at_once() -> None:
    session = open_session(at_locked_phone)
    for request in crowd(session, PARKED_LIMIT):
        session.pc.requester.cancel(request)
    session.wire.settle()
    assert sorted(session.device.withdrawn) == list(range(PARKED_LIMIT))


def test_the_time_between_two_polls() -> None:
    assert Pace().poll_spacing == 0.0
    assert Pace(AT_9600).poll_spacing == pytest.approx(0.104, abs=0.001)
    # By radio a poll is half a connection event, so one goes with every second one.
    assert air_pace(0.05).poll_spacing == pytest.approx(0.1, abs=0.03)
    assert air_pace(LONGEST_INTERVAL, 512).poll_spacing == 2 * LONGEST_INTERVAL
