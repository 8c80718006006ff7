"""Orders as an operator sees and makes them."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from fob_office.devices.views import Serial
from fob_office.orders.lacking import lacking_of
from fob_office.orders.service import EQUIPMENT_LIMIT, order_of
from fob_office.words import Base64, Name
from fob_protocol.office.limits import COMPONENTS_LIMIT

Options = Annotated[list[Name], Field(max_length=COMPONENTS_LIMIT, description="Ids of components.")]
Equipment = Annotated[str, Field(pattern=r"^[^\x00-\x1f\x7f-\x9f]*$", max_length=EQUIPMENT_LIMIT)]


class OptionView(BaseModel):
    """What it shall have, and why."""

    component: str = Field(examples=["postage-rates"])
    source: str = Field(description="`order`, or what else gives it.", examples=["order"])


class OrderView(BaseModel):
    """What was ordered for one device. Times are seconds since 1970."""

    serial: str = Field(examples=["M-0001"])
    options: list[OptionView]
    lacking: list[str] = Field(
        description="Options of which there is no release to give it; what it holds, it keeps.", examples=[[]]
    )
    equipment: str = Field(description="Hardware that was ordered with it, for people.", examples=["scale"])
    created: int
    changed: int


class NewOrder(BaseModel):
    """For a device that has a record, or with its factory record."""

    model_config = ConfigDict(extra="forbid", strict=True)

    serial: Serial
    options: Options
    equipment: Equipment = ""
    factory_record: Base64 | None = Field(default=None, description="Sealed, as `fob-device factory` writes it.")


class ChangedOrder(BaseModel):
    """Instead of what was ordered before."""

    model_config = ConfigDict(extra="forbid", strict=True)

    options: Options


def order_view(session: Session, serial: str, now: int) -> OrderView:
    """Raises NotFoundError."""
    device, order, options = order_of(session, serial)
    return OrderView(
        serial=device.serial, equipment=order.equipment, created=order.created, changed=order.changed,
        options=[OptionView(component=option.component, source=option.source) for option in options],
        lacking=lacking_of(session, device, now),
    )  # fmt: skip
