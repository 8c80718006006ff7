"""What was ordered for a device."""

from typing import Final

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from fob_office.database.base import Base

# The source of options that stand in the order itself.
ORDERED: Final = "order"
# That of options which come with what the device's owner may do.
ENTITLED: Final = "entitlement"


class Order(Base):
    """One for each device; without one it is denied. `equipment` is the hardware that was ordered, for people."""

    __tablename__ = "orders"

    device: Mapped[int] = mapped_column(ForeignKey("devices.id"), primary_key=True, autoincrement=False)
    equipment: Mapped[str]
    created: Mapped[int]
    changed: Mapped[int]


class Option(Base):
    """A component that a device shall have, because `source` says so: the order, or an entitlement (X7)."""

    __tablename__ = "options"

    device: Mapped[int] = mapped_column(ForeignKey("orders.device"), primary_key=True, autoincrement=False)
    source: Mapped[str] = mapped_column(primary_key=True)
    component: Mapped[str] = mapped_column(primary_key=True, index=True)
