"""How far a clock is off, for people. Light: commands import it."""

from typing import Final

from fob_protocol.metering.limits import DAY

_MINUTE: Final = 60
_HOUR: Final = 60 * _MINUTE


def span_words(seconds: int) -> str:
    """`90 s`, `5 min`, `2 h 5 min`, `400 days`: as exact as somebody wants who sets a clock."""
    if seconds < 2 * _MINUTE:
        return f"{seconds} s"
    if seconds < _HOUR:
        return f"{seconds // _MINUTE} min"
    if seconds < 2 * DAY:
        return f"{seconds // _HOUR} h {seconds % _HOUR // _MINUTE} min"
    return f"{seconds // DAY} days"


def ahead_words(device: str, seconds: int) -> str:
    """What is the matter with a device's clock."""
    return f"the clock of '{device}' is {span_words(seconds)} ahead of its office's"


def set_clock(device: str) -> str:
    """What helps."""
    return f"set the clock of '{device}'"
