"""Devices, their orders and inventories, components, configurations and rollouts."""

import sqlalchemy as sa
from alembic import op

from fob_office.database.base import LongInteger

revision = "0101"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    _devices()
    _components()
    _orders()
    _configuration()
    _rollout()


def _devices() -> None:
    op.create_table(
        "devices",
        sa.Column("id", LongInteger, autoincrement=True, nullable=False),
        sa.Column("serial", sa.Text(), nullable=False),
        sa.Column("hardware", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("signing_key", sa.LargeBinary(), nullable=False),
        sa.Column("sealing_key", sa.LargeBinary(), nullable=False),
        sa.Column("authorisation_key", sa.LargeBinary(), nullable=False),
        sa.Column("regions", sa.LargeBinary(), nullable=False),
        sa.Column("state", LongInteger, nullable=False),
        sa.Column("counter", LongInteger, nullable=False),
        sa.Column("added", LongInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_devices")),
        sa.UniqueConstraint("serial", name=op.f("uq_devices_serial")),
        sa.UniqueConstraint("signing_key", name=op.f("uq_devices_signing_key")),
    )
    op.create_table(
        "inventories",
        sa.Column("device", LongInteger, autoincrement=False, nullable=False),
        sa.Column("counter", LongInteger, nullable=False),
        sa.Column("reported", LongInteger, nullable=False),
        sa.Column("set_number", LongInteger, nullable=False),
        sa.Column("security_counter", LongInteger, nullable=False),
        sa.Column("time", LongInteger, nullable=False),
        sa.ForeignKeyConstraint(["device"], ["devices.id"], name=op.f("fk_inventories_device_devices")),
        sa.PrimaryKeyConstraint("device", name=op.f("pk_inventories")),
    )
    op.create_table(
        "installed_components",
        sa.Column("device", LongInteger, autoincrement=False, nullable=False),
        sa.Column("component", sa.Text(), nullable=False),
        sa.Column("version", LongInteger, nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["device"], ["devices.id"], name=op.f("fk_installed_components_device_devices")),
        sa.PrimaryKeyConstraint("device", "component", name=op.f("pk_installed_components")),
    )


def _components() -> None:
    op.create_table(
        "releases",
        sa.Column("id", LongInteger, autoincrement=True, nullable=False),
        sa.Column("component", sa.Text(), nullable=False),
        sa.Column("version", LongInteger, nullable=False),
        sa.Column("signed", sa.LargeBinary(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("server", sa.Text(), nullable=False),
        sa.Column("epoch", LongInteger, nullable=False),
        sa.Column("content_key", sa.LargeBinary(), nullable=False),
        sa.Column("state", LongInteger, nullable=False),
        sa.Column("added", LongInteger, nullable=False),
        sa.ForeignKeyConstraint(
            ["server", "epoch"],
            ["server_keys.server", "server_keys.epoch"],
            name=op.f("fk_releases_server_epoch_server_keys"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_releases")),
        sa.UniqueConstraint("component", "version", name=op.f("uq_releases_component_version")),
        sa.UniqueConstraint("digest", name=op.f("uq_releases_digest")),
    )
    op.create_table(
        "chunks",
        sa.Column("release", LongInteger, autoincrement=False, nullable=False),
        sa.Column("position", LongInteger, autoincrement=False, nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["release"], ["releases.id"], name=op.f("fk_chunks_release_releases")),
        sa.PrimaryKeyConstraint("release", "position", name=op.f("pk_chunks")),
    )
    op.create_table(
        "component_commands",
        sa.Column("command", sa.Text(), nullable=False),
        sa.Column("component", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("command", name=op.f("pk_component_commands")),
    )


def _orders() -> None:
    op.create_table(
        "orders",
        sa.Column("device", LongInteger, autoincrement=False, nullable=False),
        sa.Column("equipment", sa.Text(), nullable=False),
        sa.Column("created", LongInteger, nullable=False),
        sa.Column("changed", LongInteger, nullable=False),
        sa.ForeignKeyConstraint(["device"], ["devices.id"], name=op.f("fk_orders_device_devices")),
        sa.PrimaryKeyConstraint("device", name=op.f("pk_orders")),
    )
    op.create_table(
        "options",
        sa.Column("device", LongInteger, autoincrement=False, nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("component", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["device"], ["orders.device"], name=op.f("fk_options_device_orders")),
        sa.PrimaryKeyConstraint("device", "source", "component", name=op.f("pk_options")),
    )
    op.create_index(op.f("ix_options_component"), "options", ["component"], unique=False)


def _configuration() -> None:
    op.create_table(
        "kept_answers",
        sa.Column("device", LongInteger, autoincrement=False, nullable=False),
        sa.Column("request", sa.LargeBinary(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("time", LongInteger, nullable=False),
        sa.ForeignKeyConstraint(["device"], ["devices.id"], name=op.f("fk_kept_answers_device_devices")),
        sa.PrimaryKeyConstraint("device", name=op.f("pk_kept_answers")),
    )
    op.create_index(op.f("ix_kept_answers_time"), "kept_answers", ["time"], unique=False)
    op.create_table(
        "offered_sets",
        sa.Column("device", LongInteger, autoincrement=False, nullable=False),
        sa.Column("counter", LongInteger, nullable=False),
        sa.Column("set_number", LongInteger, nullable=False),
        sa.Column("contents", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["device"], ["devices.id"], name=op.f("fk_offered_sets_device_devices")),
        sa.PrimaryKeyConstraint("device", name=op.f("pk_offered_sets")),
    )


def _rollout() -> None:
    op.create_table(
        "rollouts",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("shares", sa.LargeBinary(), nullable=False),
        sa.Column("release", LongInteger, nullable=False),
        sa.Column("state", LongInteger, nullable=False),
        sa.Column("started", LongInteger, nullable=False),
        sa.Column("threshold", LongInteger, nullable=False),
        sa.Column("enough", LongInteger, nullable=False),
        sa.Column("automatic", sa.Boolean(), nullable=False),
        sa.Column("created", LongInteger, nullable=False),
        sa.ForeignKeyConstraint(["release"], ["releases.id"], name=op.f("fk_rollouts_release_releases")),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_rollouts")),
        sa.UniqueConstraint("release", name=op.f("uq_rollouts_release")),
    )
    op.create_table(
        "rollout_groups",
        sa.Column("rollout", sa.Text(), nullable=False),
        sa.Column("number", LongInteger, autoincrement=False, nullable=False),
        sa.Column("devices", LongInteger, nullable=False),
        sa.Column("offered", LongInteger, nullable=False),
        sa.Column("confirmed", LongInteger, nullable=False),
        sa.Column("failed", LongInteger, nullable=False),
        sa.Column("judged", LongInteger, nullable=False),
        sa.Column("judged_failed", LongInteger, nullable=False),
        sa.ForeignKeyConstraint(["rollout"], ["rollouts.name"], name=op.f("fk_rollout_groups_rollout_rollouts")),
        sa.PrimaryKeyConstraint("rollout", "number", name=op.f("pk_rollout_groups")),
    )
    op.create_table(
        "rollout_members",
        sa.Column("rollout", sa.Text(), nullable=False),
        sa.Column("device", LongInteger, autoincrement=False, nullable=False),
        sa.Column("number", LongInteger, nullable=False),
        sa.Column("state", LongInteger, nullable=False),
        sa.ForeignKeyConstraint(["device"], ["devices.id"], name=op.f("fk_rollout_members_device_devices")),
        sa.ForeignKeyConstraint(["rollout"], ["rollouts.name"], name=op.f("fk_rollout_members_rollout_rollouts")),
        sa.PrimaryKeyConstraint("rollout", "device", name=op.f("pk_rollout_members")),
    )
