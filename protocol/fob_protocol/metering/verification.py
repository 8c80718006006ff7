"""*verification certificate*: by which key strangers verify a meter's tokens (M15, M16; docs/meter-protocol.md, 6).

A file of them has the head and the certificates, in the order of their serials, as its parts.
"""

from dataclasses import dataclass
from typing import Annotated, BinaryIO, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec import Meta

from fob_protocol.cose import sign1
from fob_protocol.cose.errors import CoseError
from fob_protocol.cose.labels import Label
from fob_protocol.metering.indicium import Indicium, is_signed_token
from fob_protocol.metering.parts import read_parts
from fob_protocol.metering.passes import Kind, Pass, read_pass
from fob_protocol.metering.values import Indicated, KeyVersion, Serial, ValueKind
from fob_protocol.office.errors import Fault, OfficeError
from fob_protocol.office.message import Message, Name, Octets32, Time, read

# Of one part: the head with all its passes is the largest.
PART_LIMIT: Final = 1 << 20
# Meter boxes of one data centre.
PASSES_LIMIT: Final = 1000
# Certificates of one file, which stand in memory with some 300 octets each: twice the meters of a large country.
KEYS_LIMIT: Final = 10_000_000

_PASS_LIMIT: Final = 1024


class VerificationCertificate(Message, tag=1, frozen=True):
    """`key` is Ed25519, raw; `box` the name of the meter box that signed."""

    serial: Serial
    value_kind: ValueKind
    key_version: KeyVersion
    key: Octets32
    box: Name
    time: Time

    def signed(self, box: Ed25519PrivateKey) -> bytes:
        """By a meter box."""
        return sign1.sign(box, Label.VERIFICATION_CERTIFICATE, [], self.octets())


class KeysHead(Message, tag="fob/1 verification keys", frozen=True):
    """The public key of the manufacturing box (raw), and the passes of the meter boxes, as signed."""

    manufacturing: Octets32
    passes: Annotated[tuple[Annotated[bytes, Meta(max_length=_PASS_LIMIT)], ...], Meta(max_length=PASSES_LIMIT)]


@dataclass(frozen=True, slots=True)
class PublicKeys:
    """By serial: value kind, key version, and key. `manufacturing` vouches for all of them."""

    manufacturing: bytes
    keys: dict[str, tuple[str, int, bytes]]

    def knows(self, serial: str) -> bool:
        """Whether there is a key of this meter."""
        return serial in self.keys

    def is_genuine(self, indicated: Indicated) -> bool:
        """Whether the token is the meter's. Raises OfficeError for what is no indicium."""
        indicium = read(Indicium, indicated.indicium)
        value_kind, version, key = self.keys.get(indicium.serial, ("", 0, b""))
        if (indicium.value_kind, indicium.key_version) != (value_kind, version):
            return False
        return is_signed_token(key, indicium, indicated.token)


def read_keys(file: BinaryIO, now: int, manufacturing: bytes | None = None) -> PublicKeys:
    """All of a file; `manufacturing` is whose keys are wanted, without it those of whoever wrote the file.

    Raises OfficeError WRONG_SIGNATURE (also of passes that are over), MALFORMED, TOO_LARGE; OSError.
    """
    parts = read_parts(file, PART_LIMIT)
    head = read(KeysHead, next(parts, b""))
    if manufacturing is not None and head.manufacturing != manufacturing:
        raise OfficeError(Fault.WRONG_SIGNATURE, "the keys are of another data centre")
    boxes = _boxes(head, now)
    keys: dict[str, tuple[str, int, bytes]] = {}
    for signed in parts:
        if len(keys) >= KEYS_LIMIT:
            raise OfficeError(Fault.TOO_LARGE, f"more than {KEYS_LIMIT} keys")
        certificate = _verified(boxes, signed)
        keys[certificate.serial] = (certificate.value_kind, certificate.key_version, certificate.key)
    return PublicKeys(head.manufacturing, keys)


def _boxes(head: KeysHead, now: int) -> dict[str, Pass]:
    """By name. Raises OfficeError."""
    boxes = {}
    for signed in head.passes:
        shown = read_pass(head.manufacturing, signed)
        if shown.kind is Kind.METER and now <= shown.not_after:
            boxes[shown.name] = shown
    return boxes


def _verified(boxes: dict[str, Pass], signed: bytes) -> VerificationCertificate:
    """Raises OfficeError."""
    try:
        claimed = read(VerificationCertificate, sign1.unverified_payload(signed))
        box = boxes.get(claimed.box)
        if box is None or box.signing is None:
            raise OfficeError(Fault.WRONG_SIGNATURE, f"{claimed.box} is no meter box with a pass that is not over")
        sign1.verify(box.signing, Label.VERIFICATION_CERTIFICATE, [], signed)
    except CoseError as error:
        raise OfficeError(Fault.WRONG_SIGNATURE, f"no verification certificate: {error}") from None
    return claimed
