"""Slow lines: octets take their time, and nothing is sent again for that (docs/protocol.md, sections 3.3 and 3.5)."""

import pytest

from fob_protocol.limits import (
    FRAME_LIMIT,
    OUTSTANDING_LIMIT,
    PART_SIZE,
    RETRIES_BEFORE_LOST,
    RETRY_AFTER,
    TYPICAL_ANSWER,
)
from fob_protocol.session.pace import Pace, Steady
from fob_protocol.session.timing import LineTiming
from support.session import Session, Work, open_session
from support.wire import Direction

AT_9600 = 960.0  # octets a second: ten bits each
SIGNATURE = bytes(265)


def slow_line(work: Work, rate: float = AT_9600) -> Session:
    """A session over a serial line, which delivers octet by octet."""
    to_device, to_pc = (Direction(rate=rate, octet_by_octet=True) for _ in range(2))
    return open_session(work, to_device=to_device, to_pc=to_pc, rate=rate)


def signing(text: bytes) -> tuple[float, bytes]:
    """Work: an RSA-2048 signature on a phone."""
    return (0.05, SIGNATURE) if text.startswith(b"AT+C_SIGN") else (0.0, text)


def sign_request(number: int) -> bytes:
    """The text of a signature request."""
    return b"AT+C_SIGN=%02d,64,#232" % number + bytes(32)


def test_without_a_rate_an_answer_is_due_after_a_quarter_second() -> None:
    timing = LineTiming()
    assert timing.sent(50, 10.0) == 10.25
    assert timing.sent(50_000, 10.0) == 10.25
    assert timing.lost_after() == RETRY_AFTER * RETRIES_BEFORE_LOST == 1.25


def test_at_9600_the_line_needs_its_time() -> None:
    timing = LineTiming(Steady(Pace(AT_9600)))
    full_frame = FRAME_LIMIT / AT_9600
    assert timing.sent(96, 10.0) == pytest.approx(10.0 + 0.1 + RETRY_AFTER + full_frame)
    # The next one waits until the line is free.
    assert timing.sent(96, 10.0) == pytest.approx(10.0 + 0.2 + RETRY_AFTER + full_frame)
    assert timing.sent(96, 20.0) == pytest.approx(20.0 + 0.1 + RETRY_AFTER + full_frame)
    assert timing.lost_after() == pytest.approx(RETRY_AFTER * RETRIES_BEFORE_LOST + 2 * full_frame)


def test_other_answers_that_are_due_first_are_waited_for() -> None:
    timing = LineTiming(Steady(Pace(AT_9600)))
    assert timing.sent(0, 10.0, 3 * TYPICAL_ANSWER) == pytest.approx(10.0 + RETRY_AFTER + (FRAME_LIMIT + 900) / AT_9600)


@pytest.mark.parametrize(("rate", "parts"), [(None, 4), (120.0, 1), (AT_9600, 1), (1_920.0, 2), (11_520.0, 4)])
def test_no_more_parts_are_under_way_than_cross_in_a_second(rate: float | None, parts: int) -> None:
    assert Pace(rate).parts_in_flight == parts


@pytest.mark.parametrize("rate", [AT_9600, 11_520.0, 92_160.0])
def test_signatures_one_after_the_other_are_sent_once(rate: float) -> None:
    session = slow_line(signing, rate)
    for number in range(10):
        session.ask(sign_request(number))
    assert (session.counters.sent_again, session.pc.lost_at) == (0, None)


def test_as_many_signatures_at_once_as_there_may_be_are_sent_once() -> None:
    session = slow_line(signing)
    for number in range(OUTSTANDING_LIMIT):
        session.pc.ask(sign_request(number))
    session.wire.run_until(lambda: len(session.pc.answers) == OUTSTANDING_LIMIT, within=10)
    assert (session.counters.sent_again, session.pc.lost_at) == (0, None)


@pytest.mark.parametrize("count", [1, 2, 5])
def test_long_texts_take_little_longer_than_their_octets(count: int) -> None:
    session = slow_line(signing)
    for number in range(count):
        session.pc.ask(bytes([number]) * 3_000)
    octets = 2 * count * 3_000
    session.wire.run_until(lambda: len(session.pc.answers) == count, within=1.2 * octets / AT_9600)
    assert (session.counters.sent_again, session.device.responder.answered_again) == (0, 0)


def test_a_signature_waits_for_one_part_of_a_long_text_and_no_more() -> None:
    session = slow_line(signing)
    session.pc.ask(bytes(20 * PART_SIZE))
    session.wire.run_for(3.1)
    signature = session.pc.ask(sign_request(1))
    part, alone = 535 / AT_9600, (75 + 289) / AT_9600 + 0.05
    session.wire.run_until(lambda: signature in session.pc.answers, within=part + alone + 0.05)


def test_a_line_that_is_faster_than_its_nominal_rate_is_not_waited_for_longer() -> None:
    # A USB adapter takes no notice of its baud rate: a thousand requests and answers in a second at 9,600.
    timing = LineTiming(Steady(Pace(AT_9600)))
    due = []
    for number in range(1000):
        timing.answered(number / 1000, 0)
        due.append(timing.sent(75, number / 1000))
    assert due[-1] - 0.999 == pytest.approx(due[0])


def test_what_is_under_way_still_counts_when_an_answer_comes() -> None:
    timing = LineTiming(Steady(Pace(AT_9600)))
    for _ in range(10):
        timing.sent(96, 0.0)
    timing.answered(0.1, 960)
    assert timing.sent(0, 0.1) == pytest.approx(1.0 + RETRY_AFTER + FRAME_LIMIT / AT_9600)
