"""The rules of orders: options are components that there are, and a set of them that fits into the device (C2)."""

from collections.abc import Collection, Sequence
from typing import Final

from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from fob_office.components.candidates import load_candidates
from fob_office.components.fitting import NotFittingError, arrange
from fob_office.components.selection import Selection, Wish
from fob_office.components.tables import SignedRelease
from fob_office.devices.memory import regions_of
from fob_office.devices.service import device_of, enter, open_record
from fob_office.devices.tables import Device, Inventory
from fob_office.entitlements import service as entitlements
from fob_office.errors import NotFoundError, OperatorError
from fob_office.events.service import record
from fob_office.office import Office
from fob_office.orders.tables import ENTITLED, ORDERED, Option, Order

CREATE: Final = "fob-office order create"
# Of free text.
EQUIPMENT_LIMIT: Final = 256


def create_order(
    office: Office, serial: str, options: Collection[str], who: str, *, equipment: str = "", factory_record: bytes = b""
) -> None:
    """With its factory record (sealed) the device's record is made too, before the device is delivered (C2).

    Raises OperatorError: there is no device, it has an order, an option is not there or the set does not fit.
    """
    opened = open_record(office, factory_record) if factory_record else None
    with office.database.write() as session:
        if opened is not None and opened.serial != serial:
            what = f"{serial} was not ordered"
            raise OperatorError(what, f"the factory record is that of {opened.serial}", f"{CREATE} {opened.serial}")
        device = enter(session, office, opened, who) if opened is not None else device_of(session, serial)
        session.add(Order(device=device.id, equipment=equipment, created=office.now(), changed=office.now()))
        try:
            session.flush()
        except IntegrityError:
            why = "a device has one order, which can be changed"
            raise OperatorError(f"{serial} has an order already", why, f"fob-office order change {serial}") from None
        _replace(session, office, device, ORDERED, options)
        _add_entitled(session, office, device)
        record(session, office.now(), who, f"ordered: {_listed(options)}", serial)


def change_order(office: Office, serial: str, options: Collection[str], who: str) -> None:
    """The order's own options, instead of those of before. Raises OperatorError as `create_order`."""
    with office.database.write() as session:
        device = device_of(session, serial)
        change_options(session, office, device, ORDERED, options)
        record(session, office.now(), who, f"order changed: {_listed(options)}", serial)


def change_options(session: Session, office: Office, device: Device, source: str, options: Collection[str]) -> None:
    """What one source gives a device, instead of what it gave before; the next configuration follows (X7).

    Raises NotFoundError: there is no order; OperatorError: an option is not there, or the set does not fit.
    """
    # The row is locked: of two changes at a time the second one sees what the first one made.
    touched = update(Order).where(Order.device == device.id).values(changed=office.now()).returning(Order.device)
    if session.scalars(touched).one_or_none() is None:
        raise NotFoundError(f"{device.serial} has no order", "nothing was ordered", f"{CREATE} {device.serial}")
    _replace(session, office, device, source, options)


def options_of(session: Session, device: int) -> set[str]:
    """Ids of components that a device shall have, whoever says so."""
    return set(session.scalars(select(Option.component).where(Option.device == device)))


def order_of(session: Session, serial: str) -> tuple[Device, Order, Sequence[Option]]:
    """Raises NotFoundError."""
    device = device_of(session, serial)
    order = session.get(Order, device.id)
    if order is None:
        raise NotFoundError(f"{serial} has no order", "nothing was ordered", f"{CREATE} {serial}")
    rows = select(Option).where(Option.device == device.id).order_by(Option.component, Option.source)
    return device, order, session.scalars(rows).all()


def _replace(session: Session, office: Office, device: Device, source: str, options: Collection[str]) -> None:
    session.execute(delete(Option).where(Option.device == device.id, Option.source == source))
    session.add_all(Option(device=device.id, source=source, component=option) for option in sorted(set(options)))
    session.flush()
    check_set(session, device, options_of(session, device.id), office.now())


def check_set(session: Session, device: Device, options: Collection[str], now: int) -> None:
    """Raises OperatorError: a device could not be given all of it, staged releases too."""
    what = f"{device.serial} was not ordered"
    wish = Wish(device.hardware, now, session.get_one(Inventory, device.id).security_counter)
    selection = Selection(load_candidates(session, options), wish, lambda _: True)
    for option in sorted(options):
        if selection.choose(option) is None:
            if not _is_component(session, option):
                raise NotFoundError(what, f"there is no component {option}", "fob-office component list")
            why = f"there is no release of {option}, with all that it needs, for {device.hardware}"
            raise NotFoundError(what, why, f"fob-office component show {option}")
    try:
        arrange(selection.set_of(options), regions_of(device.regions))
    except NotFittingError as error:
        raise OperatorError(what, str(error), f"fob-office order show {device.serial}") from None


def _add_entitled(session: Session, office: Office, device: Device) -> None:
    """What its owner may have by now (X7). No order fails for it: what does not fit is noted, and left out."""
    try:
        with session.begin_nested():
            _replace(session, office, device, ENTITLED, entitlements.options_of(session, device.signing_key))
    except OperatorError as error:
        record(session, office.now(), "office", f"options not given: {error.why}"[:200], device.serial)


def _is_component(session: Session, option: str) -> bool:
    found = select(SignedRelease.id).where(SignedRelease.component == option).limit(1)
    return session.scalars(found).first() is not None


def _listed(options: Collection[str]) -> str:
    return ", ".join(sorted(set(options))) or "nothing"
