"""Programs that are no releases, and how copies of any program are made and measured. Rows are never deleted."""

from enum import IntEnum
from typing import Final

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from fob_office.database.base import Base

# In the place of a version: all those that have no row of their own.
EVERY_VERSION: Final = -1


class InstallationState(IntEnum):
    """WITHDRAWN: copies that are made from now on are disabled, those that there are go on."""

    AVAILABLE = 1
    WITHDRAWN = 2


class StoredInstallation(Base):
    """A reference value; its octets are sealed in its pieces. `version` is packed, `digest` that of all octets."""

    __tablename__ = "installations"
    __table_args__ = (UniqueConstraint("name", "version"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True, init=False)
    name: Mapped[str]
    version: Mapped[int]
    size: Mapped[int]
    digest: Mapped[bytes]
    state: Mapped[int]
    added: Mapped[int]


class InstallationPiece(Base):
    """PIECE_SIZE octets, sealed, the last one of fewer; `position` counts from 0."""

    __tablename__ = "installation_pieces"

    installation: Mapped[int] = mapped_column(ForeignKey("installations.id"), primary_key=True, autoincrement=False)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    data: Mapped[bytes]


class ProgramSetting(Base):
    """Of copies that are made from now on. `version` is packed, or EVERY_VERSION. Times in seconds."""

    __tablename__ = "program_settings"

    program: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    technique: Mapped[int]
    embedder: Mapped[int]
    variant: Mapped[int]
    lifetime: Mapped[int]
    interval: Mapped[int]
    grace: Mapped[int]
    rolls: Mapped[bool]
