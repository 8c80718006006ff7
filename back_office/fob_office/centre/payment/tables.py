"""What the emulated provider keeps, in a file of SQLite."""

from typing import Final

from sqlalchemy import Boolean, Column, Index, LargeBinary, MetaData, Table, Text, text

from fob_office.database.base import Base, LongInteger

# Of the tables below, in the file's own head; a file of another version is not opened.
VERSION: Final = 5

metadata: Final = MetaData(naming_convention=Base.metadata.naming_convention)

# Of those accounts that something was said of, or done with. `taken`: what was charged and not paid back.
CARDS: Final = Table(
    "cards", metadata,
    Column("account", LargeBinary, primary_key=True),
    Column("balance", LongInteger, nullable=False),
    Column("taken", LongInteger, nullable=False),
    Column("is_refused", Boolean, nullable=False),
)  # fmt: skip

PAYMENTS: Final = Table(
    "payments", metadata,
    Column("serial", Text, primary_key=True),
    # What goes back is numbered by the counters of its refunds.
    Column("is_back", Boolean, primary_key=True),
    Column("number", LongInteger, primary_key=True, autoincrement=False),
    Column("account", LargeBinary, nullable=False, index=True),
    # Less than nothing: paid back.
    Column("amount", LongInteger, nullable=False),
    # The id of the request that it came by.
    Column("request_id", LargeBinary, nullable=False),
    # H of it.
    Column("request", LargeBinary, nullable=False),
    Column("receipt", LargeBinary, nullable=False),
    Column("time", LongInteger, nullable=False),
    # Taken, and not yet known to be on its meter.
    Column("is_open", Boolean, nullable=False),
    Index("ix_payments_open", "serial", "number", sqlite_where=text("is_open")),
)  # fmt: skip
