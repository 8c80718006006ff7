"""Times as a person says them."""

from typing import Final

_MINUTE: Final = 60
_HOUR: Final = 3600


def time_left(seconds: float) -> str:
    """`45 s`, `4 min 5 s`, `7 h 59 min`; never below 0."""
    whole = max(int(seconds), 0)
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < _HOUR:
        return f"{whole // _MINUTE} min {whole % _MINUTE} s"
    return f"{whole // _HOUR} h {whole % _HOUR // _MINUTE} min"
