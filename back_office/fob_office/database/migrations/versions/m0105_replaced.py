"""An index in which current copies are counted, and those that were replaced."""

from alembic import op

revision = "watching_0002"
down_revision = "integrity_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make it."""
    op.create_index("ix_copies_program_is_current_state_id", "copies", ["program", "is_current", "state", "id"])
