"""The office's record of what a device holds: as the device last said (C10)."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Update, delete, select, update
from sqlalchemy.orm import Session

from fob_office.components.versions import pack, unpack
from fob_office.devices.tables import Device, Installed, Inventory
from fob_protocol.office.component import Component
from fob_protocol.office.configuration import Outcome


@dataclass(frozen=True, slots=True)
class Statement:
    """What a device says of itself, under a counter."""

    counter: int
    set_number: int
    security_counter: int
    catalogue: Sequence[Component]


def begin_inventory(session: Session, device: Device) -> None:
    """Of a device that never said anything."""
    session.add(Inventory(device=device.id, counter=0, reported=0, set_number=0, security_counter=0, time=device.added))


def keep_requested(session: Session, device: int, said: Statement, now: int) -> bool:
    """What stands in a request; False when something newer is known."""
    newer = update(Inventory).where(Inventory.device == device, Inventory.counter < said.counter)
    return _keep(session, newer.values(_values(said, now)), device, said)


def keep_reported(session: Session, device: int, said: Statement, outcome: Outcome, reason: str, now: int) -> bool:
    """What stands in a report; False when it was said before, or something newer is known.

    A report may have the counter of the request that it is about.
    """
    told = {"reported": said.counter, "outcome": outcome.value, "reason": reason}
    newer = update(Inventory).where(
        Inventory.device == device, Inventory.counter <= said.counter, Inventory.reported < said.counter
    )
    return _keep(session, newer.values(_values(said, now) | told), device, said)


def catalogue_of(session: Session, device: int) -> list[Component]:
    """By id."""
    rows = session.scalars(select(Installed).where(Installed.device == device).order_by(Installed.component))
    return [Component(row.component, unpack(row.version), row.digest) for row in rows]


def _values(said: Statement, now: int) -> dict[str, int | str]:
    return {
        "counter": said.counter, "set_number": said.set_number, "security_counter": said.security_counter, "time": now
    }  # fmt: skip


def _keep(session: Session, change: Update, device: int, said: Statement) -> bool:
    if session.scalars(change.returning(Inventory.device)).one_or_none() is None:
        return False
    if catalogue_of(session, device) != sorted(said.catalogue, key=lambda component: component.id):
        session.execute(delete(Installed).where(Installed.device == device))
        session.add_all(
            Installed(device=device, component=one.id, version=pack(one.version), digest=one.digest)
            for one in said.catalogue
        )
        session.flush()
    return True
