"""Releases with their contents. Rows of releases are never deleted: a device may hold what they say."""

from enum import IntEnum

from sqlalchemy import ForeignKey, ForeignKeyConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from fob_office.database.base import Base


class ReleaseState(IntEnum):
    """STAGED: only a rollout brings it. WITHDRAWN: nobody gets it; who holds it keeps it until there is a newer one."""

    AVAILABLE = 1
    STAGED = 2
    WITHDRAWN = 3


class SignedRelease(Base):
    """`version` is packed, `signed` the release server's, of its keys of `epoch`; `digest` is H of it.

    `content_key` is sealed.
    """

    __tablename__ = "releases"
    __table_args__ = (
        UniqueConstraint("component", "version"),
        ForeignKeyConstraint(["server", "epoch"], ["server_keys.server", "server_keys.epoch"]),
    )

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True, init=False)
    component: Mapped[str]
    version: Mapped[int]
    signed: Mapped[bytes]
    digest: Mapped[bytes] = mapped_column(unique=True)
    server: Mapped[str]
    epoch: Mapped[int]
    content_key: Mapped[bytes]
    state: Mapped[int]
    added: Mapped[int]


class Chunk(Base):
    """A piece of sealed content; `position` counts from 0."""

    __tablename__ = "chunks"

    release: Mapped[int] = mapped_column(ForeignKey("releases.id"), primary_key=True, autoincrement=False)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    data: Mapped[bytes]


class CommandName(Base):
    """A command is of one component, in all its releases."""

    __tablename__ = "component_commands"

    command: Mapped[str] = mapped_column(primary_key=True)
    component: Mapped[str]
