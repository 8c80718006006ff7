"""Why sets failed at devices, and who paused a rollout."""

import sqlalchemy as sa
from alembic import op

from fob_office.database.base import LongInteger

revision = "0102"
down_revision = "watching_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; of what was before nothing is known."""
    op.add_column("inventories", sa.Column("outcome", LongInteger, nullable=True))
    op.add_column("inventories", sa.Column("reason", sa.Text(), nullable=True))
    op.add_column("rollouts", sa.Column("paused_by", sa.Text(), nullable=True))
    op.add_column("rollout_members", sa.Column("reason", sa.Text(), nullable=True))
    op.add_column("rollout_members", sa.Column("reported", LongInteger, nullable=True))
    op.create_index("ix_rollout_members_rollout_state_reported", "rollout_members", ["rollout", "state", "reported"])
