"""What was refused is tried again later and later, so that it holds up nothing else, nor is said again each time."""

from typing import Final, NamedTuple

# Things that have a pause of their own; those beyond are tried once in the longest.
REMEMBERED: Final = 4096
# Seconds: doubled from the first one up to the longest.
FIRST_PAYOUT_PAUSE: Final = 2
LONGEST_PAYOUT_PAUSE: Final = 3600


class _Refused(NamedTuple):
    trouble: str
    time: int
    pause: int


class Patience:
    """Things are known by numbers, of which new ones are higher; times are in seconds."""

    def __init__(self) -> None:
        self._refused: dict[int, _Refused] = {}
        # The highest of those for which there was no room.
        self._highest = 0

    def is_due(self, number: int, now: int) -> bool:
        """Whether it is time to try it again; at once where the clock was put back."""
        refused = self._refused.get(number)
        if refused is not None:
            return not 0 <= now - refused.time < refused.pause
        # Each of those beyond has a moment of its own in the longest pause.
        return number > self._highest or (now - number) % LONGEST_PAYOUT_PAUSE < FIRST_PAYOUT_PAUSE

    def refused(self, number: int, trouble: str, now: int, longest: int = LONGEST_PAYOUT_PAUSE) -> bool:
        """It was tried in vain. Whether that is another trouble than the last time; of those beyond, the first one."""
        before = self._refused.get(number)
        if before is None and len(self._refused) >= REMEMBERED:
            is_first = self._highest == 0
            self._highest = max(self._highest, number)
            return is_first
        pause = FIRST_PAYOUT_PAUSE if before is None else min(2 * before.pause, longest)
        self._refused[number] = _Refused(trouble, now, pause)
        return before is None or before.trouble != trouble

    def done(self, number: int) -> None:
        """It was not in vain."""
        self._refused.pop(number, None)
