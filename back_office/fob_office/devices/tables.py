"""One record for each device (C1)."""

from enum import IntEnum

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from fob_office.database.base import Base


class DeviceState(IntEnum):
    """A disabled device is denied, as one that nobody knows."""

    ACTIVE = 1
    DISABLED = 2


class Device(Base):
    """Found by its signing key (C3). `authorisation_key` is sealed, `regions` are a MemoryMap's octets.

    `counter` is that of the last request that was granted or answered (C24); it never goes down.
    """

    __tablename__ = "devices"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True, init=False)
    serial: Mapped[str] = mapped_column(unique=True)
    hardware: Mapped[str]
    title: Mapped[str]
    signing_key: Mapped[bytes] = mapped_column(unique=True)
    sealing_key: Mapped[bytes]
    authorisation_key: Mapped[bytes]
    regions: Mapped[bytes]
    state: Mapped[int]
    counter: Mapped[int]
    added: Mapped[int]


class Inventory(Base):
    """What a device last said of itself, signed (C10). `counter` is that of the request or report which said it.

    `reported` is the counter of the last report: an older or repeated one changes nothing. `outcome` and `reason` are
    what it said; None before there was one.
    """

    __tablename__ = "inventories"

    device: Mapped[int] = mapped_column(ForeignKey("devices.id"), primary_key=True, autoincrement=False)
    counter: Mapped[int]
    reported: Mapped[int]
    set_number: Mapped[int]
    security_counter: Mapped[int]
    time: Mapped[int]
    outcome: Mapped[int | None] = mapped_column(default=None)
    reason: Mapped[str | None] = mapped_column(default=None)


class Installed(Base):
    """A component that a device holds. `version` is packed, `digest` that of its content."""

    __tablename__ = "installed_components"

    device: Mapped[int] = mapped_column(ForeignKey("devices.id"), primary_key=True, autoincrement=False)
    component: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int]
    digest: Mapped[bytes]
