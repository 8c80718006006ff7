"""Usage of copies, rules about it and what they found; the operator's page: who is logged in, and copies by state."""

import sqlalchemy as sa
from alembic import op

from fob_office.database.base import LongInteger

revision = "watching_0001"
# It speaks of copies.
down_revision = "integrity_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_index("ix_copies_program_state_id", "copies", ["program", "state", "id"])
    op.create_table(
        "usage_rules",
        sa.Column("program", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("is_on", sa.Boolean(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("parameters", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("program", "rule", name=op.f("pk_usage_rules")),
    )
    _counts()
    _findings()
    op.create_table(
        "operator_sessions",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("token", sa.LargeBinary(), nullable=False),
        sa.Column("until", LongInteger, nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_operator_sessions")),
    )
    op.create_index(op.f("ix_operator_sessions_until"), "operator_sessions", ["until"])


def _counts() -> None:
    op.create_table(
        "usage_days",
        sa.Column("copy", LongInteger, autoincrement=False, nullable=False),
        sa.Column("day", LongInteger, autoincrement=False, nullable=False),
        sa.Column("program", sa.Text(), nullable=False),
        sa.Column("lines", LongInteger, nullable=False),
        sa.Column("hours", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["copy"], ["copies.id"], name=op.f("fk_usage_days_copy_copies")),
        sa.PrimaryKeyConstraint("copy", "day", name=op.f("pk_usage_days")),
    )
    op.create_index("ix_usage_days_program_day_lines", "usage_days", ["program", "day", "lines"])
    op.create_index("ix_usage_days_day", "usage_days", ["day"])
    op.create_table(
        "last_uses",
        sa.Column("copy", LongInteger, autoincrement=False, nullable=False),
        sa.Column("day", LongInteger, nullable=False),
        sa.Column("due", LongInteger, nullable=True),
        sa.ForeignKeyConstraint(["copy"], ["copies.id"], name=op.f("fk_last_uses_copy_copies")),
        sa.PrimaryKeyConstraint("copy", name=op.f("pk_last_uses")),
    )
    op.create_index(op.f("ix_last_uses_due"), "last_uses", ["due"])
    op.create_table(
        "watched_programs",
        sa.Column("program", sa.Text(), nullable=False),
        sa.Column("day", LongInteger, nullable=False),
        sa.PrimaryKeyConstraint("program", name=op.f("pk_watched_programs")),
    )


def _findings() -> None:
    op.create_table(
        "findings",
        sa.Column("id", LongInteger, autoincrement=True, nullable=False),
        sa.Column("copy", LongInteger, nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("first", LongInteger, nullable=False),
        sa.Column("last", LongInteger, nullable=False),
        sa.Column("times", LongInteger, nullable=False),
        sa.Column("numbers", sa.Text(), nullable=False),
        sa.Column("acknowledged", LongInteger, nullable=True),
        sa.Column("acknowledged_by", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["copy"], ["copies.id"], name=op.f("fk_findings_copy_copies")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_findings")),
    )
    where = sa.text("acknowledged IS NULL")
    op.create_index(
        "ix_findings_one_open", "findings", ["copy", "rule"], unique=True, sqlite_where=where, postgresql_where=where
    )
    op.create_index("ix_findings_open", "findings", ["id"], sqlite_where=where, postgresql_where=where)
    op.create_index("ix_findings_copy_rule_id", "findings", ["copy", "rule", "id"])
