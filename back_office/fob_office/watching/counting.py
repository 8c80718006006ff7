"""How often a copy is used, by day and hour (UTC): counted when a line of the usage log comes."""

import struct
from dataclasses import dataclass
from typing import Final

from sqlalchemy.orm import Session

from fob_office.database.erasing import erase_some
from fob_office.distribution.tables import Copy
from fob_office.watching.tables import LastUse, UsageDay

DAY: Final = 86_400
HOUR: Final = 3600
# As long as the usage log itself.
DAYS_KEPT: Final = 400
# Lines in each hour of a day.
HOURS: Final = struct.Struct(">24H")
_MOST: Final = 0xFFFF


@dataclass(frozen=True, slots=True)
class Moment:
    """Of a line. `lines`: of the copy, on this day; `is_first`: it has no other one in this hour."""

    time: int
    lines: int
    is_first: bool

    @property
    def day(self) -> int:
        """Since 1970."""
        return self.time // DAY

    @property
    def hour(self) -> int:
        """Of the day."""
        return self.time % DAY // HOUR


def count_line(session: Session, copy: Copy, time: int) -> Moment:
    """One more. The copy's row is taken: nobody else counts it."""
    day, hour = time // DAY, time % DAY // HOUR
    row = session.get(UsageDay, (copy.id, day))
    if row is None:
        _begin_day(session, copy.id, day)
        row = UsageDay(copy=copy.id, day=day, program=copy.program, lines=0, hours=bytes(HOURS.size))
        session.add(row)
    counts = list(HOURS.unpack(row.hours))
    is_first = counts[hour] == 0
    counts[hour] = min(counts[hour] + 1, _MOST)
    row.lines, row.hours = row.lines + 1, HOURS.pack(*counts)
    return Moment(time, row.lines, is_first)


def _begin_day(session: Session, copy: int, day: int) -> None:
    """The first whole day without use is over on the day after the next."""
    last = session.get(LastUse, copy)
    if last is None:
        session.add(LastUse(copy=copy, day=day, due=day + 2))
    elif last.day < day:
        last.day, last.due = day, day + 2
    erase_some(session, UsageDay, UsageDay.day, day - DAYS_KEPT)
