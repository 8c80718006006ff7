"""The rules of device records: complete or refused, one for each key and each serial (C1)."""

import re
from collections.abc import Sequence
from typing import Final

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from fob_office.devices.inventory import begin_inventory
from fob_office.devices.memory import MemoryMap, overlapping
from fob_office.devices.tables import Device, DeviceState
from fob_office.errors import NotFoundError, OperatorError
from fob_office.events.service import record as record_event
from fob_office.office import Office
from fob_office.paging import PAGE
from fob_office.secrets.sealing import Place
from fob_office.servers.service import former, receiver
from fob_protocol.cose import hpke
from fob_protocol.cose.errors import CoseError
from fob_protocol.cose.headers import KEY_ID_SIZE, key_id
from fob_protocol.office.certificate import Usage
from fob_protocol.office.errors import OfficeError
from fob_protocol.office.factory import FactoryRecord, RegionUse, open_factory_record

LIST: Final = "fob-office device list"
FACTORY: Final = "fob-device factory"
# A sealed factory record with names and regions of every length is a quarter of it.
RECORD_LIMIT: Final = 8192

# A key, or a key id.
_KEY: Final = re.compile(r"([0-9a-f]{32}){1,2}", re.IGNORECASE)
_NOT_ADDED: Final = "the device was not added"


def open_record(office: Office, sealed: bytes) -> FactoryRecord:
    """What a factory says of a device, sealed to the configuration server's keys, also to those that were revoked and
    are kept (`servers.service.still_opens`).

    Raises OperatorError: sealed to somebody else, not complete, or not signed.
    """
    try:
        sealed_to = hpke.receiver_of(sealed)
    except CoseError:
        raise OperatorError(_NOT_ADDED, "what is there is no factory record", FACTORY) from None
    try:
        with office.database.read() as session:
            # A device that lay in store was made before the keys were changed; it hears of the new ones when it asks.
            server = receiver(session, office.sealer, sealed_to) or former(session, office.sealer, sealed_to)
        if server is None or not server.may(Usage.CONFIGURATION):
            raise OperatorError(_NOT_ADDED, "the factory record is sealed to none of this office's servers", FACTORY)
        record = open_factory_record(server.sealing_key, sealed)
    except (CoseError, OfficeError) as error:
        raise OperatorError(_NOT_ADDED, str(error), FACTORY) from None
    _check_regions(record)
    return record


def add_device(office: Office, sealed: bytes, who: str) -> Device:
    """From its sealed factory record. Raises OperatorError."""
    record = open_record(office, sealed)
    with office.database.write() as session:
        return enter(session, office, record, who)


def enter(session: Session, office: Office, record: FactoryRecord, who: str) -> Device:
    """The record of a device. Raises OperatorError: its serial or its key has one already."""
    sealed_key = office.sealer.seal(_place(record.serial), record.authorisation_key)
    device = Device(
        serial=record.serial, hardware=record.hardware, title=record.title, signing_key=record.signing_key,
        sealing_key=record.sealing_key, authorisation_key=sealed_key, regions=MemoryMap(record.regions).octets(),
        state=DeviceState.ACTIVE, counter=0, added=office.now(),
    )  # fmt: skip
    session.add(device)
    try:
        session.flush()
    except IntegrityError:
        why = f"{record.serial}, or its key, has a record already"
        raise OperatorError(_NOT_ADDED, why, f"fob-office device show {record.serial}") from None
    begin_inventory(session, device)
    record_event(session, office.now(), who, "device added", record.serial)
    return device


def authorisation_key(office: Office, device: Device) -> bytes:
    """32 octets for codes (C20). Raises UnsealError."""
    return office.sealer.unseal(_place(device.serial), device.authorisation_key)


def device_of(session: Session, serial: str) -> Device:
    """Raises NotFoundError."""
    found = session.scalars(select(Device).where(Device.serial == serial)).one_or_none()
    if found is None:
        raise NotFoundError(f"there is no device {serial}", "no factory record of it was added", LIST)
    return found


def is_active(session: Session, signing_key: bytes) -> bool:
    """Whether a device has a record, and is not disabled."""
    return _state(session, signing_key) == DeviceState.ACTIVE


def is_disabled(session: Session, signing_key: bytes) -> bool:
    """Whether an operator has disabled a device; one without a record is nobody's to disable."""
    return _state(session, signing_key) == DeviceState.DISABLED


def _state(session: Session, signing_key: bytes) -> int | None:
    """None: there is no record of it."""
    return session.scalars(select(Device.state).where(Device.signing_key == signing_key)).one_or_none()


def key_id_of(session: Session, told: str) -> bytes:
    """Of a device's signing key, by its serial, or by the key or its key id in hexadecimal, as lists print them.

    Raises NotFoundError.
    """
    serial = session.scalars(select(Device).where(Device.serial == told)).one_or_none()
    if serial is None and _KEY.fullmatch(told):
        octets = bytes.fromhex(told)
        return octets if len(octets) == KEY_ID_SIZE else key_id(octets)
    return key_id((serial or device_of(session, told)).signing_key)


def devices_after(session: Session, serial: str, count: int = PAGE) -> Sequence[Device]:
    """Those behind a serial, by serial."""
    return session.scalars(select(Device).where(Device.serial > serial).order_by(Device.serial).limit(count)).all()


def set_state(office: Office, serial: str, state: DeviceState, who: str) -> None:
    """Let a device in, or deny it from now on. Raises NotFoundError, OperatorError when it is so already."""
    with office.database.write() as session:
        change = update(Device).where(Device.serial == serial, Device.state != state).values(state=state)
        if session.scalars(change.returning(Device.id)).one_or_none() is None:
            device_of(session, serial)
            raise OperatorError(f"{serial} was not changed", f"it is {state.name.lower()} already", LIST)
        record_event(session, office.now(), who, f"device {state.name.lower()}", serial)


def _check_regions(record: FactoryRecord) -> None:
    """Raises OperatorError: components could not be placed."""
    if missing := set(RegionUse) - {region.use for region in record.regions}:
        why = f"the factory record has no region for {min(missing).name.lower()}"
        raise OperatorError(_NOT_ADDED, why, FACTORY)
    if len({region.name for region in record.regions}) < len(record.regions):
        raise OperatorError(_NOT_ADDED, "two regions have one name", FACTORY)
    if clash := overlapping(record.regions):
        raise OperatorError(_NOT_ADDED, f"region {clash[0].name} overlaps {clash[1].name}", FACTORY)


def _place(serial: str) -> Place:
    return Place(Device.__tablename__, "authorisation_key", serial)
