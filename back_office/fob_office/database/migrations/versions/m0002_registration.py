"""Lists of one server's people come in the order of their codes, however many there are."""

from alembic import op

revision = "registration_0002"
down_revision = "registration_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the index."""
    op.create_index("ix_registrations_server_user_code", "registrations", ["server", "user_code"])
