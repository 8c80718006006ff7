"""How a copy was used, as a picture or a row of bars shows it."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from fob_office.watching.counting import DAY, HOURS
from fob_office.watching.parameters import DAYS_LOOKED_AT
from fob_office.watching.tables import UsageDay

_BARS: Final = "▁▂▃▄▅▆▇█"
_NO_USE: Final = (0,) * 24


@dataclass(frozen=True, slots=True)
class Usage:
    """Of one copy: for each of the last days, the oldest first, its lines in each hour (UTC)."""

    first: int
    days: tuple[tuple[int, ...], ...]

    @property
    def per_day(self) -> tuple[int, ...]:
        """Lines."""
        return tuple(map(sum, self.days))

    @property
    def per_hour(self) -> tuple[int, ...]:
        """Lines of all days together."""
        return tuple(map(sum, zip(*self.days, strict=True)))

    def date(self, position: int) -> date:
        """Of one of the days."""
        return date_of(self.first + position)


def usages(session: Session, copies: Collection[int], now: int) -> dict[int, Usage]:
    """Of each copy the last DAYS_LOOKED_AT days, today's too."""
    first = now // DAY - DAYS_LOOKED_AT + 1
    query = select(UsageDay).where(UsageDay.copy.in_(copies), UsageDay.day >= first)
    found = {(row.copy, row.day): HOURS.unpack(row.hours) for row in session.scalars(query)}
    days = range(first, first + DAYS_LOOKED_AT)
    return {copy: Usage(first, tuple(found.get((copy, day), _NO_USE) for day in days)) for copy in copies}


def date_of(day: int) -> date:
    """Of a day since 1970."""
    return datetime.fromtimestamp(day * DAY, UTC).date()


def bars(counts: Collection[int]) -> str:
    """One character for each; the highest is the largest count, and what is not there has a dot."""
    most = max(counts, default=0)
    return "".join(_BARS[(count * len(_BARS) - 1) // most] if count else "·" for count in counts)
