"""What the office takes from the world: the time, and randomness. Tests give their own."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Surroundings:
    """`clock`: seconds since 1970. `random`: so many octets. `ticks`: seconds that never go back, for durations."""

    clock: Callable[[], int]
    random: Callable[[int], bytes]
    ticks: Callable[[], float] = time.monotonic


SYSTEM: Final = Surroundings(clock=lambda: int(time.time()), random=os.urandom)
