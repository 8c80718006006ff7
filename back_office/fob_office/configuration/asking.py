"""Who asks: whether a request comes from the device whose record its key finds (C3 to C5, C22, C24, C28).

Whatever is wrong, the same is done: one look at the records, one seal or none by the variant alone, one signature,
one challenge. Only then one verdict falls.
"""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from fob_office.configuration.cookies import is_good_challenge
from fob_office.devices.tables import Device, DeviceState
from fob_office.office import Office
from fob_office.orders.tables import Order
from fob_office.servers.identity import Identity
from fob_protocol.cose import hpke, sign1
from fob_protocol.cose.errors import CoseError
from fob_protocol.cose.labels import Label
from fob_protocol.office.configuration import Configure, Identifier, Request, Variant, request_context
from fob_protocol.office.errors import Fault, OfficeError
from fob_protocol.office.hashing import is_same
from fob_protocol.office.message import read

# No device has this row or serial: what is unknown is compared with them.
NOBODY: Final = 0
_NO_SERIAL: Final = "-"


@dataclass(frozen=True, slots=True)
class Asker:
    """`why` is for the log: what is wrong, and None when nothing is. `row` is NOBODY then."""

    device: Device | None
    why: str | None

    @property
    def row(self) -> int:
        """Of the device, if it is the one that it says."""
        return self.device.id if self.device is not None and self.why is None else NOBODY


def asker_of(session: Session, office: Office, server: Identity, message: Configure, request: Request) -> Asker:
    """Raises OfficeError MALFORMED for a request that is none of its variant, whoever asks."""
    if (request.identifier is None) is not (message.variant is Variant.SIGNED_REQUEST):
        raise OfficeError(Fault.MALFORMED, "an identifier belongs to the first variant")
    device, has_order = _record(session, request.signing_key)
    serial = device.serial if device is not None else _NO_SERIAL
    wrong = {
        "no record has this key": device is None,
        "the device is disabled": device is not None and device.state != DeviceState.ACTIVE,
        "the record has no order": not has_order,
        "the serial is another": not _shows_serial(server, request, serial),
        "the signature is wrong": not _is_signed(message, request, serial),
        "the challenge is old, or another's": not is_good_challenge(office, server.name, request.challenge),
        "the hardware is another": device is not None and device.hardware != request.hardware,
    }
    return Asker(device, next((why for why, is_wrong in wrong.items() if is_wrong), None))


def _record(session: Session, signing_key: bytes) -> tuple[Device | None, bool]:
    query = select(Device, Order.device).outerjoin(Order, Order.device == Device.id)
    found = session.execute(query.where(Device.signing_key == signing_key)).one_or_none()
    return (found[0], found[1] is not None) if found is not None else (None, False)


def _shows_serial(server: Identity, request: Request, serial: str) -> bool:
    """C4. In the second variant the signature shows it."""
    if request.identifier is None:
        return True
    try:
        octets = hpke.unseal_with(server.sealing_key, Label.IDENTIFIER, [request.challenge], request.identifier)
        shown = read(Identifier, octets).serial
    except (CoseError, OfficeError):
        shown = ""
    return is_same(shown.encode(), serial.encode())


def _is_signed(message: Configure, request: Request, serial: str) -> bool:
    """C5: in the second variant over the serial of the record, which is not sent."""
    context = request_context(message.variant, serial)
    try:
        sign1.verify(request.signing_key, Label.CONFIGURATION_REQUEST, context, message.request)
    except CoseError:
        return False
    return True
