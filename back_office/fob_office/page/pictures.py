"""Pictures of a copy's usage: bars for days, and a map of hours by days; each with words for who cannot see it."""

from dataclasses import dataclass
from typing import Final

from fob_office.page.words import date_words, number_words
from fob_office.watching.usage import Usage

# Units of the drawing: of one bar or field with its gap, and of the highest bar.
STEP: Final = 10
HEIGHT: Final = 40
_LEVELS: Final = 4


@dataclass(frozen=True, slots=True)
class Bar:
    """Of one day: from the left, from above, and how high."""

    x: int
    y: int
    height: int


@dataclass(frozen=True, slots=True)
class Field:
    """One hour of one day; `level` from 1 to 4."""

    x: int
    y: int
    level: int
    words: str


@dataclass(frozen=True, slots=True)
class Picture:
    """`words` say the same. `rows`: date and lines of each day with use."""

    width: int
    words: str
    bars: tuple[Bar, ...]
    fields: tuple[Field, ...] = ()
    begin: str = ""
    end: str = ""
    rows: tuple[tuple[str, int], ...] = ()


def bars(usage: Usage) -> Picture:
    """For a list of copies."""
    return Picture(len(usage.days) * STEP, words(usage), _bars(usage))


def whole(usage: Usage) -> Picture:
    """For the page of a copy."""
    most = max(max(hours) for hours in usage.days)
    fields = tuple(
        Field(day * STEP, hour * STEP, -(-_LEVELS * count // most), f"{_date(usage, day)}, {hour:02}:00: {count}")
        for day, hours in enumerate(usage.days)
        for hour, count in enumerate(hours)
        if count
    )
    rows = tuple((_date(usage, day), count) for day, count in enumerate(usage.per_day) if count)
    return Picture(
        len(usage.days) * STEP, words(usage), _bars(usage), fields,
        _date(usage, 0), _date(usage, len(usage.days) - 1), rows,
    )  # fmt: skip


def words(usage: Usage) -> str:
    """What a picture shows."""
    per_day = usage.per_day
    if not any(per_day):
        return f"Not used in {len(per_day)} days"
    most = max(per_day)
    used = sum(1 for count in per_day if count)
    days = "day" if used == 1 else "days"
    return (
        f"{number_words(sum(per_day))} validations on {used} {days} of the last {len(per_day)},"
        f" at most {number_words(most)} on {_date(usage, per_day.index(most))}"
    )


def _bars(usage: Usage) -> tuple[Bar, ...]:
    most = max(usage.per_day)
    heights = [-(-HEIGHT * count // most) if count else 0 for count in usage.per_day]
    return tuple(Bar(day * STEP, HEIGHT - height, height) for day, height in enumerate(heights) if height)


def _date(usage: Usage, position: int) -> str:
    return date_words(usage.date(position))
