"""Rows whose time is over are erased by whoever comes next, a few at a time."""

from typing import Final

from sqlalchemy import Integer, bindparam, delete, inspect, literal_column, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from fob_office.database.base import Base

# More than come in at a time, and never a long wait. It stands in the statement, as the order does: PostgreSQL, which
# makes one plan for all values, takes "some" for a tenth of the table, and reads all of it.
_AT_ONCE: Final = literal_column("16", Integer())


def erase_some(
    session: Session, kind: type[Base], time: InstrumentedAttribute[int] | InstrumentedAttribute[int | None], now: int
) -> None:
    """The oldest of those whose `time` (it has an index) is before `now`, but none that somebody is busy with."""
    key = inspect(kind).primary_key
    some = select(*key).where(time < now).order_by(time).limit(_AT_ONCE).with_for_update(skip_locked=True)
    if over := session.execute(some).all():
        # One by one: SQLite looks through the whole table for a list of keys of two columns.
        erased = delete(kind).where(*(column == bindparam(f"its_{column.name}") for column in key))
        names = [f"its_{column.name}" for column in key]
        session.connection().execute(erased, [dict(zip(names, row, strict=True)) for row in over])
