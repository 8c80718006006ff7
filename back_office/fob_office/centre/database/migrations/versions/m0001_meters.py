"""The meters' database, as it began."""

import sqlalchemy as sa
from alembic import op

from fob_office.database.base import LongInteger

revision = "meters_0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    _records()
    _log()
    _notes()


def _number(name: str, *, is_counted: bool = False) -> sa.Column[int]:
    return sa.Column(name, LongInteger, autoincrement=is_counted, nullable=False)


def _octets(name: str) -> sa.Column[bytes]:
    return sa.Column(name, sa.LargeBinary(), nullable=False)


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False)


def _records() -> None:
    op.create_table(
        "mailers",
        _octets("account"),
        _text("name"),
        _octets("record"),
        _number("counter"),
        sa.PrimaryKeyConstraint("account", name=op.f("pk_mailers")),
        sa.UniqueConstraint("name", name=op.f("uq_mailers_name")),
        sqlite_strict=True,
    )
    op.create_table(
        "meters",
        _text("serial"),
        _octets("account"),
        _octets("record"),
        _number("counter"),
        _number("funds"),
        sa.PrimaryKeyConstraint("serial", name=op.f("pk_meters")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_meters_account"), "meters", ["account"])
    op.create_table(
        "journal",
        _octets("id"),
        _octets("request"),
        _octets("answer"),
        _number("time"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_journal")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_journal_time"), "journal", ["time"])


def _log() -> None:
    op.create_table(
        "entries",
        _number("number"),
        _number("kind"),
        _octets("hashes"),
        _octets("content"),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_entries")),
        sqlite_strict=True,
    )
    heads = op.create_table(
        "log_heads",
        _number("id"),
        _number("size"),
        _octets("hashes"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_log_heads")),
        sqlite_strict=True,
    )
    op.bulk_insert(heads, [{"id": 1, "size": 0, "hashes": b""}])
    op.create_table(
        "transactions",
        _text("serial"),
        _number("counter"),
        _number("entry"),
        sa.PrimaryKeyConstraint("serial", "counter", name=op.f("pk_transactions")),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "checkpoints",
        _number("size"),
        _octets("signed"),
        sa.PrimaryKeyConstraint("size", name=op.f("pk_checkpoints")),
        sqlite_strict=True,
    )


def _notes() -> None:
    op.create_table(
        "indicia",
        _octets("digest"),
        _text("serial"),
        _number("counter"),
        _number("piece"),
        _number("given_back"),
        _number("seen"),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_indicia")),
        sqlite_strict=True,
    )
    op.create_table(
        "warnings",
        _number("id", is_counted=True),
        _text("word"),
        _text("serial"),
        _text("why"),
        _number("time"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_warnings")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_warnings_time"), "warnings", ["time"])
    op.create_table(
        "payouts",
        _number("id", is_counted=True),
        _octets("account"),
        _text("serial"),
        _number("number"),
        _number("amount"),
        _octets("request"),
        _octets("signed"),
        sa.Column("receipt", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payouts")),
        sa.UniqueConstraint("serial", "number", name=op.f("uq_payouts_serial_number")),
        sqlite_strict=True,
    )
    where = sa.text("receipt IS NULL")
    op.create_index("ix_payouts_open", "payouts", ["id"], sqlite_where=where, postgresql_where=where)
