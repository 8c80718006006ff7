"""The meters' database (M5). What was signed stands as it was signed; the other columns only find it again."""

from typing import Any, Final

from sqlalchemy import Column, Index, LargeBinary, MetaData, Table, Text, UniqueConstraint, text

from fob_office.database.base import Base, LongInteger

metadata: Final = MetaData(naming_convention=Base.metadata.naming_convention)

_OPEN: Final = text("receipt IS NULL")


def _number(name: str, **options: Any) -> Column[int]:
    return Column(name, LongInteger, nullable=False, **options)


def _octets(name: str, **options: Any) -> Column[bytes]:
    return Column(name, LargeBinary, nullable=False, **options)


def _text(name: str, **options: Any) -> Column[str]:
    return Column(name, Text, nullable=False, **options)


# Alembic's own, which makes it: of which version the tables are.
VERSIONS: Final = Table("alembic_version", MetaData(), _text("version_num", primary_key=True))

# STRICT: SQLite too keeps nothing but numbers where numbers stand, whoever writes.
MAILERS: Final = Table(
    "mailers", metadata,
    _octets("account", primary_key=True),
    # As it is compared: `names.name_key`.
    _text("name", unique=True),
    _octets("record"),
    _number("counter"),
    sqlite_strict=True,
)  # fmt: skip

METERS: Final = Table(
    "meters", metadata,
    _text("serial", primary_key=True),
    _octets("account", index=True),
    _octets("record"),
    _number("counter"),
    _number("funds"),
    sqlite_strict=True,
)  # fmt: skip

# Which requests were done, and how they were answered (M33). `id`: the place of one; `request`: H of it.
JOURNAL: Final = Table(
    "journal", metadata,
    _octets("id", primary_key=True),
    _octets("request"),
    _octets("answer"),
    _number("time", index=True),
    sqlite_strict=True,
)  # fmt: skip

# The log: a leaf, and the hashes of the nodes that came to be with it, its own first: each node stands once.
ENTRIES: Final = Table(
    "entries", metadata,
    _number("number", primary_key=True, autoincrement=False),
    _number("kind"),
    _octets("hashes"),
    _octets("content"),
    sqlite_strict=True,
)  # fmt: skip

# One row. Whoever stores locks it first, so that entries have one order with any number of database servers.
LOG_HEADS: Final = Table(
    "log_heads", metadata,
    _number("id", primary_key=True, autoincrement=False),
    _number("size"),
    # Of the frontier, the largest node first.
    _octets("hashes"),
    sqlite_strict=True,
)  # fmt: skip

# Transaction records (M6) by meter; they stand in the log.
TRANSACTIONS: Final = Table(
    "transactions", metadata,
    _text("serial", primary_key=True),
    _number("counter", primary_key=True, autoincrement=False),
    _number("entry"),
    sqlite_strict=True, sqlite_with_rowid=False,
)  # fmt: skip

# Only those that something was heard of since they were made: given back, or scanned. `digest`: H of the indicium.
INDICIA: Final = Table(
    "indicia", metadata,
    _octets("digest", primary_key=True),
    _text("serial"),
    _number("counter"),
    _number("piece"),
    _number("given_back"),
    _number("seen"),
    sqlite_strict=True,
)  # fmt: skip

# Indicia that a request is giving back, or has: reserved before its meter box is asked (`is_open`: 0 if it refused).
RESERVATIONS: Final = Table(
    "reservations", metadata,
    _octets("digest", primary_key=True),
    # The request's.
    _octets("id", primary_key=True),
    _number("is_open"),
    sqlite_strict=True,
)  # fmt: skip

CHECKPOINTS: Final = Table(
    "checkpoints", metadata,
    _number("size", primary_key=True, autoincrement=False),
    _octets("signed"),
    sqlite_strict=True,
)  # fmt: skip

WARNINGS: Final = Table(
    "warnings", metadata,
    _number("id", primary_key=True),
    _text("word"),
    _text("serial"),
    _text("why"),
    _number("time", index=True),
    sqlite_strict=True,
)  # fmt: skip

PAYOUTS: Final = Table(
    "payouts", metadata,
    _number("id", primary_key=True),
    _octets("account"),
    _text("serial"),
    _number("number"),
    _number("amount"),
    _octets("request"),
    _octets("signed"),
    Column("receipt", LargeBinary),
    UniqueConstraint("serial", "number"),
    Index("ix_payouts_open", "id", sqlite_where=_OPEN, postgresql_where=_OPEN),
    sqlite_strict=True,
)  # fmt: skip
