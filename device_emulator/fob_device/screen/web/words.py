"""Times and durations as the screen says them."""

import math
from datetime import datetime
from typing import Final

MINUTE: Final = 60
HOUR: Final = 3600
# Seconds from which minutes are written apart.
COUNTED_ALONE: Final = 100


def duration(seconds: float) -> str:
    """`1 minute`, `8 hours`; rounded up, so that nothing is said to be over before it is."""
    if seconds < MINUTE:
        return _count(math.ceil(seconds), "second")
    minutes = math.ceil(seconds / MINUTE)
    if seconds < 2 * HOUR and minutes * MINUTE != HOUR:
        return _count(minutes, "minute")
    return _count(math.ceil(seconds / HOUR), "hour")


def countdown(seconds: float) -> str:
    """`42`; from a hundred on `2:00`. phone.js goes on with it."""
    whole = math.ceil(seconds)
    return str(whole) if whole < COUNTED_ALONE else f"{whole // MINUTE}:{whole % MINUTE:02}"


def day(moment: datetime) -> str:
    """`Monday, 8 June`."""
    return f"{moment:%A}, {moment.day} {moment:%B}"


def day_and_year(moment: datetime) -> str:
    """`8 June 2026`."""
    return f"{moment.day} {moment:%B %Y}"


def clock(moment: datetime) -> str:
    """`09:05`."""
    return f"{moment:%H:%M}"


def first_upper(text: str) -> str:
    """The first letter of a sentence; the others, of names, stay."""
    return text[:1].upper() + text[1:]


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
