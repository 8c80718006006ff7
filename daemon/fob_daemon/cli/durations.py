"""Times as a person says them."""

import time
from datetime import date
from typing import Final

_MINUTE: Final = 60
_HOUR: Final = 3600
_MOMENT: Final = "%Y-%m-%d %H:%M:%S"
_FIRST_DAY: Final = date(1970, 1, 1).toordinal()
# What Python raises for a time that no calendar has; a peer may say any number.
_NO_CALENDAR: Final = (OverflowError, OSError, ValueError)


def moment(seconds: float) -> str:
    """`2026-11-21 09:30:00`, here; the number itself where no calendar has it."""
    try:
        return time.strftime(_MOMENT, time.localtime(seconds))
    except _NO_CALENDAR:
        return str(seconds)


def day(days: int) -> str:
    """`2026-11-21`, of days since 1970; `day 10000000` where no calendar has it."""
    try:
        return date.fromordinal(_FIRST_DAY + days).isoformat()
    except _NO_CALENDAR:
        return f"day {days}"


def time_left(seconds: float) -> str:
    """`45 s`, `4 min 5 s`, `7 h 59 min`; never below 0."""
    whole = max(int(seconds), 0)
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < _HOUR:
        return f"{whole // _MINUTE} min {whole % _MINUTE} s"
    return f"{whole // _HOUR} h {whole % _HOUR // _MINUTE} min"
