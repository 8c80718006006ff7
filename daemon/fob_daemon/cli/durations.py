"""Times as a person says them."""

import time
from typing import Final

_MINUTE: Final = 60
_HOUR: Final = 3600
_MOMENT: Final = "%Y-%m-%d %H:%M:%S"


def moment(seconds: float) -> str:
    """`2026-11-21 09:30:00`, here. Raises OverflowError, OSError and ValueError for one that no calendar has."""
    return time.strftime(_MOMENT, time.localtime(seconds))


def time_left(seconds: float) -> str:
    """`45 s`, `4 min 5 s`, `7 h 59 min`; never below 0."""
    whole = max(int(seconds), 0)
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < _HOUR:
        return f"{whole // _MINUTE} min {whole % _MINUTE} s"
    return f"{whole // _HOUR} h {whole % _HOUR // _MINUTE} min"
