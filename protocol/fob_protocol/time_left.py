"""How long something still takes whose steps are told as they are done: for whoever watches. No clock in here."""

from collections import deque
from typing import Final

# Steps that count. The middle one of them speaks for all: a pause in which the line was cut is one long step.
STEPS_KEPT: Final = 8


class TimeLeft:
    """Watches steps of `total`. Another total, or a step back, is something else, which begins anew."""

    def __init__(self) -> None:
        self._done = self._total = 0
        self._since = 0.0
        self._steps: deque[float] = deque(maxlen=STEPS_KEPT)

    def note(self, done: int, total: int, now: float) -> None:
        """So far it is, at a time in seconds; `total` 0 where that is not known."""
        if total != self._total or done < self._done:
            self._steps.clear()
        elif done > self._done:
            self._steps.append((now - self._since) / (done - self._done))
        elif total:
            return
        self._done, self._total, self._since = done, total, now

    def seconds(self, now: float) -> float | None:
        """Until the last step is done, if it goes on so; None while nobody can tell."""
        if not self._steps or self._done >= self._total:
            return None
        step = sorted(self._steps)[len(self._steps) // 2]
        # The step that is under way takes what it takes, but not less than nothing.
        return max((self._total - self._done) * step - (now - self._since), (self._total - self._done - 1) * step)


def about(seconds: float) -> str:
    """For people, who see it change: `about 3 min left`, rounded up."""
    if seconds < 10:
        return "a few seconds left"
    if seconds <= 50:
        return f"about {-int(-seconds // 10) * 10} s left"
    minutes = int(-(-seconds // 60))
    return f"about {minutes} min left" if minutes < 100 else f"about {-(-minutes // 60)} h left"
