"""*device manifest*: what one device shall hold, where and in which order, in answer to one request (C16, C24)."""

from typing import Annotated

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec import Meta

from fob_protocol.cose import sign1
from fob_protocol.cose.errors import CoseError
from fob_protocol.cose.labels import Label
from fob_protocol.office.certificate import Certificate
from fob_protocol.office.errors import Fault, OfficeError
from fob_protocol.office.limits import COMPONENTS_LIMIT
from fob_protocol.office.message import Count, Message, Name, Octets32, Time, read


class Entry(Message, frozen=True):
    """A line of the program vector table: `release` is the digest of the signed release, `order` counts from 1."""

    component: Name
    release: Octets32
    region: Name
    start: Count
    order: Annotated[int, Meta(ge=1, le=COMPONENTS_LIMIT)]


class Manifest(Message, tag=1, frozen=True):
    """`entries` is the program vector table."""

    set_number: Count
    hardware: Name
    issued: Time
    until: Time
    security_counter: Count
    entries: Annotated[tuple[Entry, ...], Meta(max_length=COMPONENTS_LIMIT)]

    def signed(self, key: Ed25519PrivateKey, device: bytes, challenge: bytes) -> bytes:
        """For a device (its key id) that asked with this challenge."""
        return sign1.sign(key, Label.DEVICE_MANIFEST, [device, challenge], self.octets())


def read_manifest(server: Certificate, signed: bytes, device: bytes, challenge: bytes) -> Manifest:
    """The answer to this device's request of now. Raises OfficeError WRONG_SIGNATURE for any other."""
    try:
        return read(Manifest, sign1.verify(server.signing_key, Label.DEVICE_MANIFEST, [device, challenge], signed))
    except CoseError as error:
        why = f"not {server.server}'s, for another device, or for another request: {error}"
        raise OfficeError(Fault.WRONG_SIGNATURE, why) from None
