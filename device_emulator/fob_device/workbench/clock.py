"""The phone's wall clock, which may be wrong."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(slots=True)
class ShiftedClock:
    """Seconds since 1970 by `true`, and `shift` seconds more. The clock of timers and deadlines is another one."""

    true: Callable[[], float]
    shift: float = 0.0

    def __call__(self) -> float:
        """What the phone takes for the time."""
        return self.true() + self.shift
