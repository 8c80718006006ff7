"""Master key, issuer, servers, audit log and operators' tokens."""

import sqlalchemy as sa
from alembic import op

from fob_office.database.base import LongInteger

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "master_keys",
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("created", LongInteger, nullable=False),
        sa.PrimaryKeyConstraint("fingerprint", name=op.f("pk_master_keys")),
    )
    op.create_table(
        "issuers",
        sa.Column("id", LongInteger, autoincrement=False, nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_issuers_only_one")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_issuers")),
    )
    op.create_table(
        "revocation_lists",
        sa.Column("number", LongInteger, autoincrement=False, nullable=False),
        sa.Column("issued", LongInteger, nullable=False),
        sa.Column("until", LongInteger, nullable=False),
        sa.Column("signed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_revocation_lists")),
    )
    op.create_table(
        "servers",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("epoch", LongInteger, nullable=False),
        sa.Column("least_epoch", LongInteger, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_servers")),
    )
    op.create_table(
        "server_keys",
        sa.Column("server", sa.Text(), nullable=False),
        sa.Column("epoch", LongInteger, nullable=False),
        sa.Column("key_id", sa.LargeBinary(), nullable=False),
        sa.Column("certificate", sa.LargeBinary(), nullable=False),
        sa.Column("signing_key", sa.LargeBinary(), nullable=True),
        sa.Column("sealing_key", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["server"], ["servers.name"], name=op.f("fk_server_keys_server_servers")),
        sa.PrimaryKeyConstraint("server", "epoch", name=op.f("pk_server_keys")),
        sa.UniqueConstraint("key_id", name=op.f("uq_server_keys_key_id")),
    )
    op.create_table(
        "events",
        sa.Column("id", LongInteger, autoincrement=True, nullable=False),
        sa.Column("time", LongInteger, nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_events")),
    )
    op.create_table(
        "operator_tokens",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("may_change", sa.Boolean(), nullable=False),
        sa.Column("created", LongInteger, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_operator_tokens")),
        sa.UniqueConstraint("digest", name=op.f("uq_operator_tokens_digest")),
    )
