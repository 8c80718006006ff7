"""How long is waited before what ended is started again."""

from fob_office.centre.supervising.limits import FIRST_START_PAUSE, LONGEST_START_PAUSE, STEADY_TIME


def next_pause(before: float, ran: float, first: float = FIRST_START_PAUSE) -> float:
    """Seconds: twice the last one (0: there was none), and `first` where it `ran` for a while."""
    if ran > STEADY_TIME:
        before = 0.0
    return min(max(2 * before, first), LONGEST_START_PAUSE)
