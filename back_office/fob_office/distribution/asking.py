"""Who may ask for copies: devices with an order, and who enrolled by a letter."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from fob_office.devices.tables import Device, DeviceState
from fob_office.distribution.tables import Copy, Holder
from fob_office.orders.tables import Order
from fob_protocol.integrity.distribution import Holding


@dataclass(frozen=True, slots=True)
class Asker:
    """`why` is for the log: what is wrong, and None when nothing is. `holder`: None before the first copy."""

    is_device: bool
    holder: Holder | None
    why: str | None


def asker_of(session: Session, key: bytes) -> Asker:
    """The same is looked at whoever asks."""
    known = select(Device.state, Order.device).outerjoin(Order, Order.device == Device.id)
    device = session.execute(known.where(Device.signing_key == key)).one_or_none()
    holder = session.scalars(select(Holder).where(Holder.key == key)).one_or_none()
    wrong = {
        "nobody has this key": device is None and holder is None,
        "the device is disabled": device is not None and device[0] != DeviceState.ACTIVE,
        "the record has no order": device is not None and device[1] is None,
    }
    why = next((why for why, is_wrong in wrong.items() if is_wrong), None)
    return Asker(device is not None, holder, why)


def admitted(session: Session, asker: Asker, holdings: tuple[Holding, ...]) -> list[Holding]:
    """What it may have copies of: a device of everything, who enrolled of the programs that it enrolled for."""
    if asker.is_device or asker.holder is None:
        return list(holdings)
    names = set(session.scalars(select(Copy.program).where(Copy.holder == asker.holder.id).distinct()))
    return [holding for holding in holdings if holding.program in names]
