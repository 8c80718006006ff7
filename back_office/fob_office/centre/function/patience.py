"""What was refused is tried again later and later, so that it holds up nothing else, nor is said again each time."""

from collections import OrderedDict
from typing import Final, NamedTuple

# Things that are remembered: one that is forgotten is due at once.
REMEMBERED: Final = 4096
# Seconds: doubled from the first one up to the longest.
FIRST_PAUSE: Final = 2
LONGEST_PAUSE: Final = 3600


class _Refused(NamedTuple):
    trouble: str
    time: int
    pause: int


class Patience:
    """Things are known by numbers; times are in seconds."""

    def __init__(self) -> None:
        self._refused: OrderedDict[int, _Refused] = OrderedDict()

    def is_due(self, number: int, now: int) -> bool:
        """Whether it is time to try it again; at once where the clock was put back."""
        refused = self._refused.get(number)
        return refused is None or not 0 <= now - refused.time < refused.pause

    def refused(self, number: int, trouble: str, now: int, longest: int = LONGEST_PAUSE) -> bool:
        """It was tried in vain. Whether that is another trouble than the last time."""
        before = self._refused.pop(number, None)
        pause = FIRST_PAUSE if before is None else min(2 * before.pause, longest)
        self._refused[number] = _Refused(trouble, now, pause)
        if len(self._refused) > REMEMBERED:
            self._refused.popitem(last=False)
        return before is None or before.trouble != trouble

    def done(self, number: int) -> None:
        """It was not in vain."""
        self._refused.pop(number, None)
