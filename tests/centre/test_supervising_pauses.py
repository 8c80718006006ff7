"""What ends again and again is started less and less often, until it has run for a while."""

from fob_office.centre.supervising.limits import FIRST_START_PAUSE, LONGEST_START_PAUSE, STEADY_TIME
from fob_office.centre.supervising.pausing import next_pause


def test_each_pause_is_twice_the_one_before_up_to_the_longest() -> None:
    pauses, pause = [], 0.0
    for _ in range(12):
        pause = next_pause(pause, ran=1)
        pauses.append(round(pause / FIRST_START_PAUSE))
    assert pauses[:5] == [1, 2, 4, 8, 16]
    assert pause == LONGEST_START_PAUSE


def test_what_ran_for_a_while_is_started_again_at_once() -> None:
    # The supervisor too, for which an office waits a second at first: five deaths in a year are no reason to wait.
    assert next_pause(LONGEST_START_PAUSE, ran=STEADY_TIME + 1) == FIRST_START_PAUSE
    assert next_pause(LONGEST_START_PAUSE, ran=STEADY_TIME + 1, first=1.0) == 1.0
    assert next_pause(LONGEST_START_PAUSE, ran=STEADY_TIME - 1) == LONGEST_START_PAUSE
