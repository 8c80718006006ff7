"""What time it is at least: by the own clock, and by what servers signed and a clock that nobody sets."""

import time

from fob_protocol.office.trusted_time import TrustedTime, passed_time

NOON = 1_800_000_000


class Clocks:
    """`wall` is anybody's to set, `passed` nobody's."""

    def __init__(self, wall: float, signed: int = 0) -> None:
        self.wall = wall
        self.passed = 5000.0
        self.time = TrustedTime(lambda: self.wall, lambda: self.passed, signed)

    def wait(self, seconds: float) -> None:
        self.wall += seconds
        self.passed += seconds


def test_before_anybody_signed_a_time_it_is_the_own_clock_s() -> None:
    clocks = Clocks(NOON + 0.9)
    assert clocks.time.now == NOON
    clocks.wall = NOON - 3600
    assert clocks.time.now == NOON - 3600


def test_with_a_clock_that_is_behind_time_goes_on_from_what_was_signed() -> None:
    clocks = Clocks(NOON - 3600)
    clocks.time.note(NOON)
    assert clocks.time.now == NOON
    clocks.wait(59.5)
    assert clocks.time.now == NOON + 59
    clocks.wall = 0.0
    clocks.wait(1)
    assert clocks.time.now == NOON + 60


def test_what_was_kept_counts_from_the_start_on() -> None:
    clocks = Clocks(0.0, signed=NOON)
    clocks.wait(10)
    assert clocks.time.now == NOON + 10


def test_an_older_time_that_is_signed_by_another_server_takes_nothing_back() -> None:
    clocks = Clocks(0.0)
    clocks.time.note(NOON)
    clocks.wait(10)
    clocks.time.note(NOON + 5)
    assert clocks.time.now == NOON + 10
    clocks.time.note(NOON + 11)
    assert clocks.time.now == NOON + 11


def test_a_clock_that_is_ahead_is_believed_while_it_is() -> None:
    clocks = Clocks(NOON + 86_400)
    clocks.time.note(NOON)
    assert (clocks.time.now, clocks.time.signed) == (NOON + 86_400, NOON)
    clocks.wall = NOON
    assert clocks.time.now == NOON


def test_what_passes_while_the_machine_sleeps_has_passed() -> None:
    before = time.clock_gettime(time.CLOCK_BOOTTIME)
    assert before <= passed_time() <= time.clock_gettime(time.CLOCK_BOOTTIME)


def test_what_the_server_that_answered_last_takes_for_now() -> None:
    clocks = Clocks(NOON + 7200, signed=NOON - 86_400)
    assert (clocks.time.told, clocks.time.ahead) == (NOON + 7200, 0)
    clocks.time.note(NOON)
    clocks.wait(60)
    assert (clocks.time.told, clocks.time.ahead) == (NOON + 60, 7200)
    # What ends, ends by the later clock all the same.
    assert clocks.time.now == NOON + 7260
    clocks.wall = NOON - 9
    assert (clocks.time.told, clocks.time.ahead) == (NOON + 60, 0)
