"""Every bound of the workbench, with its reason."""

import math
from typing import Final

from fob_device.workbench.errors import BenchError

# Seconds for which a phone is off or away: a day of a test that runs by itself.
SECONDS_LIMIT: Final = 86_400

# Octets per second: slower than any line with which a handshake ends in time, faster than any serial line.
RATE_MINIMUM: Final = 10
RATE_MAXIMUM: Final = 1_000_000

# Frames to hit at once: more than any operation has.
FRAMES_LIMIT: Final = 1_000

# Seconds by which the phone's clock may be wrong: ten years, either way.
SHIFT_LIMIT: Final = 315_360_000

FULL: Final = 100


def checked(what: str, value: float, least: float, most: float) -> float:
    """The value. Raises BenchError when it is out of its bounds, or no number at all."""
    if not math.isfinite(value) or not least <= value <= most:
        raise BenchError(f"{what}: from {least} to {most}, not {value}")
    return value
