"""When to try again: longer and longer, with some chance in it, or when the office said (RELAY_RETRY)."""

from typing import Final

from fob_protocol.noise.keys import Random

# Seconds: the first pause, which doubles, and the longest.
RELAY_RETRY: Final = (1.0, 300.0)
# Nobody makes a device wait for longer than a day.
SECONDS_LIMIT: Final = 86_400
# A quarter of a pause more, at most: devices that failed together do not come back together.
CHANCE: Final = 0.25


class Pauses:
    """Between the tries of one device."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._next = RELAY_RETRY[0]

    def least(self, seconds: int | None = None) -> float:
        """The next pause, without the chance in it; `seconds` is when the office wants to be asked again."""
        return self._next if seconds is None else float(min(seconds, SECONDS_LIMIT))

    def after(self, seconds: int | None = None) -> float:
        """The pause after one more failure."""
        pause = self.least(seconds)
        self._next = min(2 * self._next, RELAY_RETRY[1])
        return pause * (1 + CHANCE * self._random(1)[0] / 255)

    def begin_anew(self) -> None:
        """It worked."""
        self._next = RELAY_RETRY[0]
