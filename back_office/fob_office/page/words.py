"""Times and numbers as people read them; times are in UTC, as in the office's log."""

from datetime import UTC, date, datetime
from typing import Final

_UNITS: Final = ((86_400, "day"), (3600, "hour"), (60, "minute"))


def time_words(time: int) -> str:
    """`21 Nov 2026, 18:04`."""
    told = datetime.fromtimestamp(time, UTC)
    return f"{date_words(told.date())}, {told:%H:%M}"


def date_words(day: date) -> str:
    """`21 Nov 2026`."""
    return f"{day.day} {day:%b %Y}"


def ago(time: int, now: int) -> str:
    """`3 hours ago`."""
    seconds = max(0, now - time)
    for size, unit in _UNITS:
        if count := seconds // size:
            return f"{count} {unit}{'' if count == 1 else 's'} ago"
    return "just now"


def number_words(count: int) -> str:
    """`100 000`, with a narrow space that does not break."""
    return f"{count:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")


def short(number: str) -> str:
    """Of a long hexadecimal number what tells it apart; the whole one stands where it is used."""
    return f"{number[:8]}\N{HORIZONTAL ELLIPSIS}{number[-4:]}"
