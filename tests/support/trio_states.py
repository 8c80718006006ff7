"""What is on the disks of a device and its office when both are off."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import func, select

from fob_device.components.boot_record import BootCopies, BootRecord
from fob_device.components.storage import FolderStorage
from fob_device.factory import COMPONENTS_FOLDER
from fob_device.office.store import COUNTER, PENDING, OfficeStore, Registration
from fob_device.state import open_phone
from fob_office.configuration.tables import KeptAnswer, OfferedSet
from fob_office.devices.inventory import catalogue_of
from fob_office.devices.tables import Device, Inventory
from fob_office.distribution.tables import Holder
from fob_office.office import open_office
from fob_office.registration.tables import Registration as Registered
from fob_office.registration.tables import Standing
from fob_office.sessions.tables import ProofCount
from fob_office.settings import load_settings
from fob_office.surroundings import SYSTEM
from fob_protocol.office.component import Component


@dataclass(frozen=True)
class DeviceDisk:
    """`files` are those in the folder of its components, by kind; `begun` is what waits to be said (again)."""

    record: BootRecord
    files: Counter[str]
    is_configured: bool
    begun: tuple[str, ...]
    counter: int
    registrations: tuple[Registration, ...]


def read_device(phone: Path) -> DeviceDisk:
    """Of a phone that is off."""
    storage = FolderStorage(phone / COMPONENTS_FOLDER)
    memory = open_phone(phone)
    try:
        items = memory.office_items
        store = OfficeStore(items, bytes(32))
        return DeviceDisk(
            BootCopies(storage).load(),
            Counter(name.partition("-")[0] for name in storage.names()),
            store.is_configured(),
            tuple(name for name in items.names() if name.startswith((PENDING, "pending"))),
            int.from_bytes(items.get(COUNTER) or b""),
            tuple(store.registrations()),
        )
    finally:
        memory.close()


@dataclass(frozen=True)
class OfficeDisk:
    """Of an office with one device. Its last counters: `asked` of a request, `reported` of a report, `copies` of those.

    `offered` are the sets (number, counter of the request) that it was offered, `registrations` those of every standing
    by user code.
    """

    asked: int
    reported: int
    copies: int
    set_number: int
    installed: tuple[Component, ...]
    offered: tuple[tuple[int, int], ...]
    kept_answers: int
    registrations: dict[bytes, tuple[str, Standing]]
    secrets_left: int
    wrong_proofs: int


def read_office(state: Path) -> OfficeDisk:
    """Whether it runs or not."""
    office = open_office(load_settings(state, {}), {}, SYSTEM)
    try:
        with office.database.read() as session:
            device, inventory = session.execute(select(Device, Inventory).join(Inventory)).one()
            rows = session.scalars(select(Registered)).all()
            return OfficeDisk(
                device.counter,
                inventory.reported,
                session.scalars(select(Holder.counter)).one(),
                inventory.set_number,
                tuple(catalogue_of(session, device.id)),
                tuple((row.set_number, row.counter) for row in session.scalars(select(OfferedSet))),
                session.scalar(select(func.count()).select_from(KeptAnswer)) or 0,
                {row.user_code: (row.name, Standing(row.standing)) for row in rows},
                sum(row.ssk2 is not None for row in rows),
                session.scalar(select(func.count()).select_from(ProofCount)) or 0,
            )
    finally:
        office.close()
