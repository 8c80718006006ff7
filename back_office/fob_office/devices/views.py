"""Devices as an operator sees them: nothing secret."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from fob_office.components.versions import unpack
from fob_office.devices.inventory import catalogue_of
from fob_office.devices.tables import Device, DeviceState, Inventory
from fob_office.distribution.operating import current_of
from fob_office.distribution.tables import Copy
from fob_office.orders.lacking import lacking_of
from fob_office.words import Base64, Hex16
from fob_protocol.cose.headers import key_id
from fob_protocol.integrity.validation import State
from fob_protocol.office.component import words
from fob_protocol.office.configuration import Outcome

Serial = Annotated[str, Field(pattern=r"^[A-Z0-9][A-Z0-9-]{0,31}$", examples=["M-0001"])]


class DeviceView(BaseModel):
    """One device. Times are seconds since 1970."""

    serial: str = Field(examples=["M-0001"])
    title: str = Field(examples=["Franking meter"])
    hardware: str = Field(examples=["meter-1"])
    state: str = Field(description="`active` or `disabled`.", examples=["active"])
    key: str = Field(description="Public key of its signatures.", examples=["00" * 32])
    key_id: Hex16 = Field(description="Of that key, as registrations name the device.")
    added: int


class InstalledView(BaseModel):
    """A component that it holds."""

    component: str = Field(examples=["postage-rates"])
    version: str = Field(examples=["1.0.0"])


class HeldView(BaseModel):
    """A copy that it holds now."""

    number: Hex16
    program: str = Field(examples=["postage-rates"])
    version: str = Field(examples=["1.0.0"])
    state: str = Field(description="`valid`, `invalid`, `cloned` or `disabled`.", examples=["valid"])


class DeviceDetails(DeviceView):
    """With what it last said of itself."""

    set_number: int = Field(description="Of the set that it runs; 0 is none.", examples=[1])
    security_counter: int = Field(examples=[0])
    heard: int = Field(description="When it last said so; when it was added, if never.")
    last_report: str | None = Field(
        description="What became of the last set: `confirmed`, or `reverted`, `refused` or `failed` with the reason.",
        examples=["reverted: out-of-tries"],
    )
    installed: list[InstalledView]
    lacking: list[str] = Field(
        description="Ordered options of which there is no release to give it; what it holds, it keeps.", examples=[[]]
    )
    copies: list[HeldView]


class NewDevice(BaseModel):
    """What the factory gives."""

    model_config = ConfigDict(extra="forbid", strict=True)

    factory_record: Base64 = Field(description="Sealed, as `fob-device factory` writes it.")


def device_view(device: Device) -> DeviceView:
    """One line."""
    return DeviceView(
        serial=device.serial, title=device.title, hardware=device.hardware, state=_state(device),
        key=device.signing_key.hex(), key_id=key_id(device.signing_key).hex(), added=device.added,
    )  # fmt: skip


def device_details(session: Session, device: Device, now: int) -> DeviceDetails:
    """All of it."""
    inventory = session.get_one(Inventory, device.id)
    return DeviceDetails(
        **device_view(device).model_dump(), set_number=inventory.set_number,
        security_counter=inventory.security_counter, heard=inventory.time, last_report=_last_report(inventory),
        installed=[
            InstalledView(component=one.id, version=words(one.version)) for one in catalogue_of(session, device.id)
        ],
        lacking=lacking_of(session, device, now),
        copies=[_held(row) for row in current_of(session, device.signing_key)],
    )  # fmt: skip


def _last_report(inventory: Inventory) -> str | None:
    if inventory.outcome is None:
        return None
    outcome = Outcome(inventory.outcome).name.lower()
    return f"{outcome}: {inventory.reason}" if inventory.reason else outcome


def _held(row: Copy) -> HeldView:
    return HeldView(
        number=row.number.hex(), program=row.program, version=words(unpack(row.version)),
        state=State(row.state).name.lower(),
    )  # fmt: skip


def _state(device: Device) -> str:
    return DeviceState(device.state).name.lower()
