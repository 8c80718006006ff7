"""The last thing that each device was told, and may fetch. One row for a device, whatever it asks."""

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from fob_office.database.base import Base
from fob_protocol.office.message import Count, Message


class Contents(Message, frozen=True):
    """Row ids of releases."""

    releases: tuple[Count, ...]


class KeptAnswer(Base):
    """`request` is H of the signed request that `body` answers. Kept for as long as its challenge is good."""

    __tablename__ = "kept_answers"

    device: Mapped[int] = mapped_column(ForeignKey("devices.id"), primary_key=True, autoincrement=False)
    request: Mapped[bytes]
    body: Mapped[bytes]
    time: Mapped[int] = mapped_column(index=True)


class OfferedSet(Base):
    """The last set that a device was granted, by the request of this counter. `contents` are Contents' octets."""

    __tablename__ = "offered_sets"

    device: Mapped[int] = mapped_column(ForeignKey("devices.id"), primary_key=True, autoincrement=False)
    counter: Mapped[int]
    set_number: Mapped[int]
    contents: Mapped[bytes]
