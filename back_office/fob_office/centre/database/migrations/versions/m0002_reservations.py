"""Indicia that are being given back."""

import sqlalchemy as sa
from alembic import op

from fob_office.database.base import LongInteger

revision = "meters_0002"
down_revision = "meters_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "reservations",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("id", sa.LargeBinary(), nullable=False),
        sa.Column("is_open", LongInteger, autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("digest", "id", name=op.f("pk_reservations")),
        sqlite_strict=True,
    )
