"""Options that come with entitlements go to where the configuration finds them: beside those of the order (X7)."""

from typing import Final

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from fob_office.devices.tables import Device
from fob_office.entitlements.service import options_of
from fob_office.errors import OperatorError
from fob_office.events.service import record
from fob_office.office import Office
from fob_office.orders.service import change_options
from fob_office.orders.tables import ENTITLED, Option, Order

WHO: Final = "office"


def give_options(session: Session, office: Office, signing_key: bytes) -> None:
    """What a device's owner may have now, instead of what they might before; the next configuration follows.

    Nothing, if the office has no order of the device: an order that is made later looks for itself.
    Raises OperatorError: an option is not there, or the set does not fit. To take options away never fails.
    """
    # Its row is locked: an order that is made at the same time comes before this, or after it.
    own = select(Device).where(Device.signing_key == signing_key).with_for_update()
    device = session.scalars(own).one_or_none()
    if device is None or session.get(Order, device.id) is None:
        return
    mine = (Option.device == device.id, Option.source == ENTITLED)
    held = set(session.scalars(select(Option.component).where(*mine)))
    options = options_of(session, signing_key)
    session.execute(delete(Option).where(*mine, Option.component.not_in(options)))
    if not options <= held:
        change_options(session, office, device, ENTITLED, options)


def give_what_fits(session: Session, office: Office, signing_key: bytes) -> None:
    """The same where nobody is there to be told: what does not fit is noted for the operator, and left out."""
    try:
        with session.begin_nested():
            give_options(session, office, signing_key)
    except OperatorError as error:
        record(session, office.now(), WHO, f"options not given: {error.why}"[:200], signing_key.hex())
