"""What time it is at least: a clock that is behind, or was set back, makes nothing younger than it is."""

import time
from collections.abc import Callable


def passed_time() -> float:
    """Seconds of a clock that nobody sets, and that goes on while the machine sleeps where there is one (Linux)."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


class TrustedTime:
    """`clock`: this machine's own, in seconds since 1970, which anybody may set; `passed`: seconds of one that nobody
    does (`passed_time`). `signed` is the latest time that a server has signed as far as was kept, 0: none.
    """

    def __init__(self, clock: Callable[[], float], passed: Callable[[], float], signed: int = 0) -> None:
        self._clock = clock
        self._passed = passed
        self._signed = signed
        self._since = passed()
        # How far the clock that nobody sets is behind the server's that answered last.
        self._behind: int | None = None

    @property
    def now(self) -> int:
        """Seconds since 1970: the later of the own clock, and of what was signed with what has passed since."""
        return max(int(self._clock()), self.signed)

    def note(self, signed: int) -> None:
        """A server has just signed it."""
        self._behind = signed - int(self._passed())
        if signed > self.signed:
            self._signed, self._since = signed, self._passed()

    @property
    def told(self) -> int:
        """What a server takes for now: by the one that answered last, with what has passed since.

        For what it is told, and by nothing that ends: a clock that is ahead makes no question come too late. `now`,
        where none has answered since the start.
        """
        return self.now if self._behind is None else int(self._passed()) + self._behind

    @property
    def ahead(self) -> int:
        """Seconds that the own clock is ahead of what was told; 0: it is not, or nobody has told since the start."""
        return max(int(self._clock()) - self.told, 0)

    @property
    def signed(self) -> int:
        """By servers alone, with what has passed since: never later than theirs."""
        return self._signed + int(max(self._passed() - self._since, 0.0))
