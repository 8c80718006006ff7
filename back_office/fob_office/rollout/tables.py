"""Rollouts, their groups, and the devices that were offered the release."""

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from fob_office.database.base import Base
from fob_protocol.office.message import Message


class Plan(Message, frozen=True):
    """Percents of all devices that are reached with each group, rising to 100."""

    shares: tuple[int, ...]


class Rollout(Base):
    """`salt` is the id that devices' groups are taken by, `shares` a Plan's octets. `started` groups have begun.

    `threshold`: percent of failed reports above which it pauses; `enough`: percent of a group that has to have
    reported before the next one starts, which is by itself when `automatic`. `paused_by`: an operator, or what the
    reports said; None while it is not paused.
    """

    __tablename__ = "rollouts"

    name: Mapped[str] = mapped_column(primary_key=True)
    salt: Mapped[bytes]
    shares: Mapped[bytes]
    release: Mapped[int] = mapped_column(ForeignKey("releases.id"), unique=True)
    state: Mapped[int]
    started: Mapped[int]
    threshold: Mapped[int]
    enough: Mapped[int]
    automatic: Mapped[bool]
    created: Mapped[int]
    paused_by: Mapped[str | None] = mapped_column(default=None)


class RolloutGroup(Base):
    """How a group fares. `devices`: how many there are in it, counted when it starts.

    `judged` and `judged_failed` count reports since the last resume: what an operator has seen pauses nothing again.
    """

    __tablename__ = "rollout_groups"

    rollout: Mapped[str] = mapped_column(ForeignKey("rollouts.name"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    devices: Mapped[int]
    offered: Mapped[int]
    confirmed: Mapped[int]
    failed: Mapped[int]
    judged: Mapped[int]
    judged_failed: Mapped[int]


class RolloutMember(Base):
    """A device that was offered the release; `number` is its group's. `reason`: why it failed there.

    `reported`: when it said what became of it.
    """

    __tablename__ = "rollout_members"
    __table_args__ = (Index("ix_rollout_members_rollout_state_reported", "rollout", "state", "reported"),)

    rollout: Mapped[str] = mapped_column(ForeignKey("rollouts.name"), primary_key=True)
    device: Mapped[int] = mapped_column(ForeignKey("devices.id"), primary_key=True, autoincrement=False)
    number: Mapped[int]
    state: Mapped[int]
    reason: Mapped[str | None] = mapped_column(default=None)
    reported: Mapped[int | None] = mapped_column(default=None)
