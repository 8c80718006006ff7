"""The pace of a line, and the times that are reckoned from it (docs/protocol.md, sections 3.5 and 8)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fob_protocol.limits import WORKING_AFTER, WORKING_POLL
from fob_protocol.link.gatt import LONGEST_INTERVAL, MTU_LEAST, MTU_OFFERED, SHORTEST_INTERVAL, value_size
from fob_protocol.session.air import MeasuredInterval, air_pace, sure_interval
from fob_protocol.session.pace import Pace

INTERVALS = st.floats(SHORTEST_INTERVAL, LONGEST_INTERVAL)


def milliseconds(*seconds: float) -> tuple[int, ...]:
    return tuple(round(value * 1000) for value in seconds)


def test_a_wire_has_a_rate_and_no_round_trip_of_its_own() -> None:
    assert Pace(960.0).delay == 0.0
    assert Pace(960.0).crossing(96) == pytest.approx(0.1)
    assert (Pace().delay, Pace().crossing(65_536)) == (0.0, 0.0)


@pytest.mark.parametrize(
    ("interval", "retry", "lost", "command", "first_answer", "opening", "reopening", "event"),
    [
        # An interval of up to 60 ms changes nothing but the rate.
        (0.0075, 250, 1318, 512, 353, 681, 1000, 1034),
        (0.05, 250, 1387, 525, 356, 762, 1000, 1068),
        (0.2, 530, 3197, 880, 655, 2087, 4360, 1553),
        (1.0, 2130, 13_384, 2880, 2355, 9474, 23_560, 4247),
        (4.0, 8130, 51_587, 10_380, 8730, 37_177, 95_560, 14_349),
    ],
)
def test_the_times_at_an_interval(
    interval: float, retry: int, lost: int, command: int, first_answer: int, opening: int, reopening: int, event: int
) -> None:
    pace = air_pace(interval, value_size(MTU_OFFERED))
    assert milliseconds(pace.retry_after, pace.lost_after, pace.command_time) == (retry, lost, command)
    assert milliseconds(pace.first_answer_time, pace.opening_time) == (first_answer, opening)
    assert milliseconds(pace.radio_reopening_time, pace.event_retry(1)) == (reopening, event)
    assert pace.event_retry(3) == 4 * pace.event_retry(1)


@pytest.mark.parametrize(
    ("mtu", "interval", "octets_per_second"),
    [
        # Two values in an event, never more than 512 octets; no more than that in 25 ms.
        (23, 0.0075, 1600),
        (23, 0.05, 800),
        (23, 1.0, 40),
        (247, 0.03, 16_267),
        (247, 1.0, 488),
        (517, 0.0075, 20_480),
        (517, 0.03, 17_067),
        (517, 0.5, 1024),
        (517, 4.0, 128),
    ],
)
def test_the_rate_at_an_mtu(mtu: int, interval: float, octets_per_second: int) -> None:
    assert air_pace(interval, value_size(mtu)).rate == pytest.approx(octets_per_second, abs=1)


@given(INTERVALS, st.floats(0, WORKING_AFTER))
def test_an_answer_or_a_sign_of_life_always_comes_before_the_request_is_sent_again(
    interval: float, work: float
) -> None:
    """It waits for an event, is worked on, and the answer or WORKING waits for the next event."""
    assert 2 * interval + work < air_pace(interval).retry_after


@pytest.mark.parametrize(
    ("interval", "times"), [(0.0075, 1), (0.03, 1), (0.5, 1), (0.75, 1.5), (1.0, 2), (LONGEST_INTERVAL, 8)]
)
def test_deadlines_on_several_round_trips_grow_with_the_interval(interval: float, times: float) -> None:
    assert air_pace(interval).stretched(5.0) == pytest.approx(5.0 * times)
    assert Pace(30.0).stretched(5.0) == 5.0


def test_an_answer_that_is_on_its_way_is_known_on_a_slow_line_alone() -> None:
    assert (Pace().on_its_way, Pace(30.0).on_its_way, air_pace(0.03).on_its_way) == (0.0, 0.0, 0.0)
    assert air_pace(0.2).on_its_way == air_pace(0.2).retry_after


def test_a_break_that_is_noticed_by_a_late_poll_is_waited_out_by_the_device() -> None:
    quick, slow = air_pace(0.05), air_pace(LONGEST_INTERVAL)
    rest = [p.lost_after + p.radio_reopening_time + p.first_answer_time + p.opening_time for p in (quick, slow)]
    assert quick.next_session_time - rest[0] == pytest.approx(WORKING_POLL)
    assert slow.next_session_time - rest[1] == pytest.approx(slow.poll_spacing)


def test_events_that_a_device_may_leave_out_make_an_interval_longer() -> None:
    assert sure_interval(30.0, 0, 1) == pytest.approx(0.03)
    assert sure_interval(30.0, 4, 1) == pytest.approx(0.15)
    assert sure_interval(30.0, 4, 2) == pytest.approx(0.3)


def test_the_first_round_trip_takes_the_place_of_the_guess() -> None:
    measured = MeasuredInterval(0.25)
    assert measured.seconds == 0.25
    measured.took(1.6)
    assert measured.seconds == 1.6
    measured.took(0.8)
    assert measured.seconds == pytest.approx(1.5)


@given(st.floats(min_value=0, allow_infinity=False, allow_nan=False), st.lists(st.floats(0, 1e6), max_size=20))
def test_a_measured_interval_is_one_that_the_standard_allows(guess: float, round_trips: list[float]) -> None:
    measured = MeasuredInterval(guess)
    for seconds in round_trips:
        measured.took(seconds)
        assert SHORTEST_INTERVAL <= measured.seconds <= LONGEST_INTERVAL


@given(INTERVALS, st.lists(st.floats(1.0, 2.0), min_size=1, max_size=50))
def test_a_measured_interval_is_never_too_short_and_at_most_twice_as_long(interval: float, shares: list[float]) -> None:
    measured = MeasuredInterval(0.25)
    for share in shares:
        measured.took(share * interval)
    assert interval * (1 - 1e-9) <= measured.seconds <= 2 * interval * (1 + 1e-9)


def test_a_measured_interval_follows_one_that_changes() -> None:
    measured = MeasuredInterval(0.25)
    for _ in range(10):
        measured.took(0.06)
    # From 30 to 300 ms: after three round trips nothing is sent twice any more.
    for is_enough in (False, False, True):
        measured.took(0.6)
        assert (air_pace(measured.seconds).retry_after > 0.6) == is_enough
    for _ in range(40):
        measured.took(0.06)
    assert air_pace(measured.seconds).delay < 0.03


def test_the_interval_is_unknown_until_it_is_told_or_measured() -> None:
    assert air_pace(None) == air_pace(1.0, value_size(MTU_LEAST))
