"""What operators said of rules, how often each copy was used on each day, and what was found."""

from typing import Final

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from fob_office.database.base import Base

# In the place of a program's name: all those that have no row of their own.
EVERY_PROGRAM: Final = ""


class UsageRule(Base):
    """What an operator has said of a rule, for a program or for all. `parameters` are JSON (`parameters.Told`)."""

    __tablename__ = "usage_rules"

    program: Mapped[str] = mapped_column(primary_key=True)
    rule: Mapped[str] = mapped_column(primary_key=True)
    is_on: Mapped[bool]
    severity: Mapped[str]
    parameters: Mapped[str]


class UsageDay(Base):
    """A copy's lines in the usage log on one day; days count from 1970, in UTC. `hours`: see `counting.HOURS`."""

    __tablename__ = "usage_days"
    __table_args__ = (
        # A program's copies of a day by how often they were used: their median, and who is far from it.
        Index("ix_usage_days_program_day_lines", "program", "day", "lines"),
        Index("ix_usage_days_day", "day"),
    )

    copy: Mapped[int] = mapped_column(ForeignKey("copies.id"), primary_key=True, autoincrement=False)
    day: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    program: Mapped[str]
    lines: Mapped[int]
    hours: Mapped[bytes]


class LastUse(Base):
    """The last day on which a copy was used; `due` is the day on which somebody looks whether it is silent."""

    __tablename__ = "last_uses"

    copy: Mapped[int] = mapped_column(ForeignKey("copies.id"), primary_key=True, autoincrement=False)
    day: Mapped[int]
    due: Mapped[int | None] = mapped_column(index=True)


class WatchedProgram(Base):
    """The last day whose median was looked at."""

    __tablename__ = "watched_programs"

    program: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[int]


def _one_open() -> Index:
    """A copy has one open finding of a rule, however often it is found."""
    where = text("acknowledged IS NULL")
    return Index("ix_findings_one_open", "copy", "rule", unique=True, sqlite_where=where, postgresql_where=where)


def _open() -> Index:
    where = text("acknowledged IS NULL")
    return Index("ix_findings_open", "id", sqlite_where=where, postgresql_where=where)


class Finding(Base):
    """What a rule found of a copy: first and last time, how often; `numbers` (JSON) are those of the last time.

    `acknowledged` is when an operator (`acknowledged_by`) has seen it.
    """

    __tablename__ = "findings"
    __table_args__ = (_one_open(), _open(), Index("ix_findings_copy_rule_id", "copy", "rule", "id"))

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True, init=False)
    copy: Mapped[int] = mapped_column(ForeignKey("copies.id"))
    rule: Mapped[str]
    severity: Mapped[str]
    first: Mapped[int]
    last: Mapped[int]
    times: Mapped[int]
    numbers: Mapped[str]
    acknowledged: Mapped[int | None] = mapped_column(default=None)
    acknowledged_by: Mapped[str | None] = mapped_column(default=None)
