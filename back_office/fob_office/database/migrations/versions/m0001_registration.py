"""Registrations, sessions, entitlements, and what the gateway's applications keep."""

import sqlalchemy as sa
from alembic import op

from fob_office.database.base import LongInteger

revision = "registration_0001"
down_revision = "0001"
branch_labels = None
depends_on = None

_PENDING = sa.text("standing = 1")
_CONFIRMED = sa.text("standing = 2")


def upgrade() -> None:
    """Make the tables."""
    _registrations()
    _entitlements()
    _sessions()
    op.create_table(
        "filed_reports",
        sa.Column("id", sa.LargeBinary(), nullable=False),
        sa.Column("server", sa.Text(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("filed", LongInteger, nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("text", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["server"], ["servers.name"], name=op.f("fk_filed_reports_server_servers")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_filed_reports")),
    )
    op.create_index("ix_filed_reports_server_filed", "filed_reports", ["server", "filed"])


def _registrations() -> None:
    op.create_table(
        "registrations",
        sa.Column("user_code", sa.LargeBinary(), nullable=False),
        sa.Column("server", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_key", sa.Text(), nullable=True),
        sa.Column("device", sa.LargeBinary(), nullable=False),
        sa.Column("request", sa.LargeBinary(), nullable=False),
        sa.Column("standing", LongInteger, nullable=False),
        sa.Column("created", LongInteger, nullable=False),
        sa.Column("confirm_by", LongInteger, nullable=True),
        sa.Column("fields", sa.LargeBinary(), nullable=False),
        sa.Column("authentication_key", sa.LargeBinary(), nullable=True),
        sa.Column("ssk2", sa.LargeBinary(), nullable=True),
        sa.CheckConstraint("standing BETWEEN 1 AND 3", name=op.f("ck_registrations_standing")),
        sa.CheckConstraint("standing = 1 OR ssk2 IS NULL", name=op.f("ck_registrations_ssk2_forgotten")),
        sa.ForeignKeyConstraint(["server"], ["servers.name"], name=op.f("fk_registrations_server_servers")),
        sa.PrimaryKeyConstraint("user_code", name=op.f("pk_registrations")),
        sa.UniqueConstraint("server", "name_key", name=op.f("uq_registrations_server_name_key")),
        sa.UniqueConstraint("request", name=op.f("uq_registrations_request")),
    )
    for name, standing in (("pending", _PENDING), ("confirmed", _CONFIRMED)):
        op.create_index(
            f"ix_registrations_one_{name}", "registrations", ["server", "device"], unique=True,
            sqlite_where=standing, postgresql_where=standing,
        )  # fmt: skip
    op.create_index("ix_registrations_device", "registrations", ["device"])
    op.create_index("ix_registrations_confirm_by", "registrations", ["confirm_by"])
    op.create_table(
        "registration_templates",
        sa.Column("server", sa.Text(), nullable=False),
        sa.Column("setting", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["server"], ["servers.name"], name=op.f("fk_registration_templates_server_servers")),
        sa.PrimaryKeyConstraint("server", name=op.f("pk_registration_templates")),
    )


def _entitlements() -> None:
    op.create_table(
        "entitlements",
        sa.Column("user_code", sa.LargeBinary(), nullable=False),
        sa.Column("version", LongInteger, nullable=False),
        sa.Column("changed", LongInteger, nullable=False),
        sa.Column("state", LongInteger, nullable=False),
        sa.Column("computers", sa.JSON(), nullable=False),
        sa.Column("applications", sa.JSON(), nullable=False),
        sa.Column("components", sa.JSON(), nullable=False),
        sa.CheckConstraint("state BETWEEN 1 AND 2", name=op.f("ck_entitlements_state")),
        sa.ForeignKeyConstraint(
            ["user_code"], ["registrations.user_code"],
            name=op.f("fk_entitlements_user_code_registrations"), ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("user_code", name=op.f("pk_entitlements")),
    )  # fmt: skip


def _sessions() -> None:
    op.create_table(
        "sessions",
        sa.Column("id", sa.LargeBinary(), nullable=False),
        sa.Column("server", sa.Text(), nullable=False),
        sa.Column("user_code", sa.LargeBinary(), nullable=False),
        sa.Column("question", sa.LargeBinary(), nullable=False),
        sa.Column("device_key", sa.LargeBinary(), nullable=False),
        sa.Column("server_key", sa.LargeBinary(), nullable=False),
        sa.Column("challenge", sa.LargeBinary(), nullable=False),
        sa.Column("opened", LongInteger, nullable=False),
        sa.Column("until", LongInteger, nullable=False),
        sa.Column("phase", LongInteger, nullable=False),
        sa.Column("shared", sa.LargeBinary(), nullable=True),
        sa.Column("keys", sa.LargeBinary(), nullable=True),
        sa.Column("number", LongInteger, nullable=False),
        sa.Column("said", sa.LargeBinary(), nullable=True),
        sa.Column("answer", sa.LargeBinary(), nullable=True),
        sa.Column("refusal", sa.Text(), nullable=True),
        sa.CheckConstraint("phase BETWEEN 1 AND 3", name=op.f("ck_sessions_phase")),
        sa.CheckConstraint("phase = 1 OR shared IS NULL", name=op.f("ck_sessions_shared_erased")),
        sa.CheckConstraint("phase = 2 OR keys IS NULL", name=op.f("ck_sessions_keys_erased")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sessions")),
        sa.UniqueConstraint("question", name=op.f("uq_sessions_question")),
    )
    op.create_index("ix_sessions_until", "sessions", ["until"])
    op.create_table(
        "proof_counts",
        sa.Column("server", sa.Text(), nullable=False),
        sa.Column("user_code", sa.LargeBinary(), nullable=False),
        sa.Column("wrong", LongInteger, nullable=False),
        sa.Column("locked_until", LongInteger, nullable=False),
        sa.Column("changed", LongInteger, nullable=False),
        sa.PrimaryKeyConstraint("server", "user_code", name=op.f("pk_proof_counts")),
    )
    op.create_index("ix_proof_counts_changed", "proof_counts", ["changed"])
