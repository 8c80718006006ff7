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
from fob_protocol.office.message import Challenge, Count, KeyId, Message, Name, Octets32, Time, read


class Entry(Message, frozen=True):
    """A line of the program vector table: `release` is the digest of the signed release, `order` counts from 1."""

    component: Name
    release: Octets32
    region: Name
    start: Count
    order: Annotated[int, Meta(ge=1, le=COMPONENTS_LIMIT)]


class Manifest(Message, tag=1, frozen=True):
    """`device` is a key id; `challenge` that of its request. `entries` is the program vector table."""

    device: KeyId
    challenge: Challenge
    set_number: Count
    hardware: Name
    issued: Time
    until: Time
    security_counter: Count
    entries: Annotated[tuple[Entry, ...], Meta(max_length=COMPONENTS_LIMIT)]

    def signed(self, key: Ed25519PrivateKey) -> bytes:
        """As the configuration server gives it out."""
        return sign1.sign(key, Label.DEVICE_MANIFEST, [], self.octets())


def read_manifest(server: Certificate, signed: bytes, device: bytes, challenge: bytes | None) -> Manifest:
    """What this device (its key id) shall hold, in answer to this challenge; None: its request is long over.

    Raises OfficeError WRONG_SIGNATURE, MALFORMED, OTHER_DEVICE, STALE_ANSWER.
    """
    try:
        manifest = read(Manifest, sign1.verify(server.signing_key, Label.DEVICE_MANIFEST, [], signed))
    except CoseError as error:
        raise OfficeError(Fault.WRONG_SIGNATURE, f"the set is not {server.server}'s: {error}") from None
    if manifest.device != device:
        raise OfficeError(Fault.OTHER_DEVICE, "a set for another device")
    if challenge not in (None, manifest.challenge):
        raise OfficeError(Fault.STALE_ANSWER, "a set in answer to another request")
    return manifest
