"""A phone that a factory made a device of a back office is switched on."""

import os
from collections.abc import Callable
from pathlib import Path

from fob_device.components.equipment import Equipment
from fob_device.components.errors import BootRecordError, EquipmentError
from fob_device.components.machine import Machine
from fob_device.components.storage import FolderStorage, Storage
from fob_device.integrity.own_program import own_program
from fob_device.metering.desk import MeterDesk
from fob_device.office.back_office import BackOffice, Parts
from fob_device.office.carrier import Carrier
from fob_device.office.desk import OfficeDesk
from fob_device.office.door import OfficeDoor, UnfinishedDoor
from fob_device.office.factory import load_supplied
from fob_device.office.options import Options
from fob_device.office.relay import Relay
from fob_device.office.store import OfficeStore
from fob_device.phone import Phone
from fob_device.security.back_office import BackOfficeDoor
from fob_device.store.errors import TokenFileError
from fob_protocol.noise.keys import Random


def connect_office(
    phone: Phone, components: Path, carrier: Carrier | None, say: Callable[[str], None], random: Random = os.urandom
) -> None:
    """`components`: the folder of the device's components. `carrier`: its own network; None: its computers relay.

    A device that lacks something says so, and is a phone all the same.
    """
    try:
        components.mkdir(0o700, exist_ok=True)
        phone.office = _door(phone, FolderStorage(components), carrier, random)
    except (EquipmentError, BootRecordError, TokenFileError, OSError) as error:
        phone.office = UnfinishedDoor(str(error))
        say(f"this device speaks to no office: {error}")


def _door(phone: Phone, storage: Storage, carrier: Carrier | None, random: Random) -> BackOfficeDoor:
    device = Equipment.complete(load_supplied(phone.memory.office_items))
    options = Options()
    relay = None if carrier else Relay(lambda: {one.pc_key for one in phone.sessions}, phone.announce, random)
    way: Carrier | None = carrier or relay
    assert way is not None  # noqa: S101 - one of the two
    parts = Parts(
        OfficeStore(phone.memory.office_items, device.issuer),
        device,
        Machine(storage, device, options),
        options,
        way,
        phone.wall_clock,
        random,
        phone.announce,
        phone.on_change,
        own_program(),
    )
    office = BackOffice(parts)
    desk = OfficeDesk(office, phone.on_change, phone.wall_clock)
    meter_desk = MeterDesk(office.meter, phone.on_change, phone.wall_clock)
    return OfficeDoor(office, desk, meter_desk, relay, phone.announce)
