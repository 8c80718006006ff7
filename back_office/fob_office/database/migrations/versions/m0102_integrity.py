"""Programs, holders and their copies, letters, and what came of every validation."""

import sqlalchemy as sa
from alembic import op

from fob_office.database.base import LongInteger

revision = "integrity_0001"
# It speaks of releases.
down_revision = "0101"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    _programs()
    _copies()
    _letters()
    _validation()


def _programs() -> None:
    op.create_table(
        "installations",
        sa.Column("id", LongInteger, autoincrement=True, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("version", LongInteger, nullable=False),
        sa.Column("size", LongInteger, nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("state", LongInteger, nullable=False),
        sa.Column("added", LongInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_installations")),
        sa.UniqueConstraint("name", "version", name=op.f("uq_installations_name_version")),
    )
    op.create_table(
        "installation_pieces",
        sa.Column("installation", LongInteger, autoincrement=False, nullable=False),
        sa.Column("position", LongInteger, autoincrement=False, nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["installation"], ["installations.id"], name=op.f("fk_installation_pieces_installation_installations")
        ),
        sa.PrimaryKeyConstraint("installation", "position", name=op.f("pk_installation_pieces")),
    )
    op.create_table(
        "program_settings",
        sa.Column("program", sa.Text(), nullable=False),
        sa.Column("version", LongInteger, autoincrement=False, nullable=False),
        sa.Column("technique", LongInteger, nullable=False),
        sa.Column("embedder", LongInteger, nullable=False),
        sa.Column("variant", LongInteger, nullable=False),
        sa.Column("lifetime", LongInteger, nullable=False),
        sa.Column("interval", LongInteger, nullable=False),
        sa.Column("grace", LongInteger, nullable=False),
        sa.Column("rolls", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("program", "version", name=op.f("pk_program_settings")),
    )


def _copies() -> None:
    op.create_table(
        "holders",
        sa.Column("id", LongInteger, autoincrement=True, nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("counter", LongInteger, nullable=False),
        sa.Column("request", sa.LargeBinary(), nullable=True),
        sa.Column("added", LongInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_holders")),
        sa.UniqueConstraint("key", name=op.f("uq_holders_key")),
    )
    op.create_table(
        "copies",
        sa.Column("id", LongInteger, autoincrement=True, nullable=False),
        sa.Column("number", sa.LargeBinary(), nullable=False),
        sa.Column("holder", LongInteger, nullable=False),
        sa.Column("program", sa.Text(), nullable=False),
        sa.Column("version", LongInteger, nullable=False),
        sa.Column("release", LongInteger, nullable=True),
        sa.Column("installation", LongInteger, nullable=True),
        sa.Column("record", sa.LargeBinary(), nullable=False),
        sa.Column("identifier", sa.LargeBinary(), nullable=False),
        sa.Column("state", LongInteger, nullable=False),
        sa.Column("created", LongInteger, nullable=False),
        sa.Column("is_current", sa.Boolean(), nullable=False),
        sa.Column("is_reissued", sa.Boolean(), nullable=False),
        sa.Column("is_resynchronised", sa.Boolean(), nullable=False),
        sa.Column("program_number", LongInteger, nullable=False),
        sa.Column("server_number", LongInteger, nullable=False),
        sa.Column("request", sa.LargeBinary(), nullable=True),
        sa.Column("answer", sa.LargeBinary(), nullable=True),
        sa.Column("validated", LongInteger, nullable=True),
        sa.CheckConstraint("state BETWEEN 1 AND 4", name=op.f("ck_copies_state")),
        sa.CheckConstraint("(release IS NULL) <> (installation IS NULL)", name=op.f("ck_copies_one_reference")),
        sa.CheckConstraint("is_current OR state <> 1", name=op.f("ck_copies_over")),
        sa.ForeignKeyConstraint(["holder"], ["holders.id"], name=op.f("fk_copies_holder_holders")),
        sa.ForeignKeyConstraint(["release"], ["releases.id"], name=op.f("fk_copies_release_releases")),
        sa.ForeignKeyConstraint(
            ["installation"], ["installations.id"], name=op.f("fk_copies_installation_installations")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_copies")),
        sa.UniqueConstraint("number", name=op.f("uq_copies_number")),
    )
    _only_where("is_current", "ix_copies_one_current", "copies", ["holder", "program", "version"])
    op.create_index("ix_copies_holder_id", "copies", ["holder", "id"])
    op.create_index("ix_copies_program_id", "copies", ["program", "id"])
    op.create_index("ix_copies_state_id", "copies", ["state", "id"])


def _letters() -> None:
    op.create_table(
        "letters",
        sa.Column("name", sa.LargeBinary(), nullable=False),
        sa.Column("program", sa.Text(), nullable=False),
        sa.Column("version", LongInteger, nullable=False),
        sa.Column("release", LongInteger, nullable=True),
        sa.Column("installation", LongInteger, nullable=True),
        sa.Column("technique", LongInteger, nullable=False),
        sa.Column("embedder", LongInteger, nullable=False),
        sa.Column("variant", LongInteger, nullable=False),
        sa.Column("until", LongInteger, nullable=False),
        sa.Column("identifier", sa.LargeBinary(), nullable=True),
        sa.Column("copy", LongInteger, nullable=True),
        sa.CheckConstraint("(release IS NULL) <> (installation IS NULL)", name=op.f("ck_letters_one_reference")),
        sa.CheckConstraint("(copy IS NULL) <> (identifier IS NULL)", name=op.f("ck_letters_once")),
        sa.ForeignKeyConstraint(["release"], ["releases.id"], name=op.f("fk_letters_release_releases")),
        sa.ForeignKeyConstraint(
            ["installation"], ["installations.id"], name=op.f("fk_letters_installation_installations")
        ),
        sa.ForeignKeyConstraint(["copy"], ["copies.id"], name=op.f("fk_letters_copy_copies")),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_letters")),
    )
    op.create_index("ix_letters_until", "letters", ["until"])


def _validation() -> None:
    op.create_table(
        "challenges",
        sa.Column("copy", sa.LargeBinary(), nullable=False),
        sa.Column("challenge", sa.LargeBinary(), nullable=False),
        sa.Column("time", LongInteger, nullable=False),
        sa.PrimaryKeyConstraint("copy", name=op.f("pk_challenges")),
    )
    op.create_index(op.f("ix_challenges_time"), "challenges", ["time"])
    op.create_table(
        "validations",
        sa.Column("id", LongInteger, autoincrement=True, nullable=False),
        sa.Column("copy", LongInteger, nullable=False),
        sa.Column("program_number", LongInteger, nullable=False),
        sa.Column("request", sa.LargeBinary(), nullable=False),
        sa.Column("evidence", sa.LargeBinary(), nullable=False),
        sa.Column("time", LongInteger, nullable=False),
        sa.Column("result", sa.Text(), nullable=False),
        sa.Column("integrity_value", sa.LargeBinary(), nullable=False),
        sa.Column("is_used", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["copy"], ["copies.id"], name=op.f("fk_validations_copy_copies")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_validations")),
        sa.UniqueConstraint(
            "copy", "program_number", "request", name=op.f("uq_validations_copy_program_number_request")
        ),
    )
    _only_where("is_used", "ix_validations_one_used", "validations", ["copy", "program_number"])
    op.create_index("ix_validations_copy_id", "validations", ["copy", "id"])
    op.create_index("ix_validations_copy_time", "validations", ["copy", "time"])
    op.create_index("ix_validations_time", "validations", ["time"])
    op.create_table(
        "clone_proofs",
        sa.Column("copy", LongInteger, autoincrement=False, nullable=False),
        sa.Column("proof", sa.LargeBinary(), nullable=False),
        sa.Column("time", LongInteger, nullable=False),
        sa.ForeignKeyConstraint(["copy"], ["copies.id"], name=op.f("fk_clone_proofs_copy_copies")),
        sa.PrimaryKeyConstraint("copy", name=op.f("pk_clone_proofs")),
    )


def _only_where(flag: str, name: str, table: str, columns: list[str]) -> None:
    """One row where the flag is set."""
    where = sa.text(flag)
    op.create_index(name, table, columns, unique=True, sqlite_where=where, postgresql_where=where)
