"""Views: which meter box owns each slot, and which is its second (docs/meter-protocol.md, section 5; M34)."""

from typing import Annotated

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec import Meta

from fob_office.centre.limits import SLOTS
from fob_protocol.cose import sign1
from fob_protocol.cose.errors import CoseError
from fob_protocol.cose.labels import Label
from fob_protocol.office.errors import Fault, OfficeError
from fob_protocol.office.hashing import digest
from fob_protocol.office.message import Count, Message, Name, read


class Slot(Message, frozen=True):
    """Meter boxes, by name. `second` is none only where an operator says so."""

    owner: Name
    second: Name | None


class View(Message, tag=1, frozen=True):
    """*view*: one for the whole data centre; of two, the one with the higher number holds."""

    number: Count
    slots: Annotated[tuple[Slot, ...], Meta(min_length=SLOTS, max_length=SLOTS)]

    def signed(self, key: Ed25519PrivateKey) -> bytes:
        """By the manufacturing box."""
        return sign1.sign(key, Label.VIEW, [], self.octets())

    def of(self, serial: str) -> Slot:
        """Who has this meter."""
        return self.slots[slot_of(serial)]


def slot_of(serial: str) -> int:
    """From 0 to SLOTS - 1."""
    return digest(serial.encode())[0] % SLOTS


def read_view(manufacturing: bytes, signed: bytes) -> View:
    """Raises OfficeError: it is none, or another key (raw) signed it."""
    try:
        return read(View, sign1.verify(manufacturing, Label.VIEW, [], signed))
    except CoseError as error:
        raise OfficeError(Fault.WRONG_SIGNATURE, str(error)) from None
