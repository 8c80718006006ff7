"""What the office learns of a device when it is made (C1, C12)."""

from enum import IntEnum
from typing import Annotated

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from msgspec import Meta

from fob_protocol.cose import hpke, sign1
from fob_protocol.cose.errors import CoseError
from fob_protocol.cose.labels import Label
from fob_protocol.office.errors import Fault, OfficeError
from fob_protocol.office.hashing import derive
from fob_protocol.office.message import Count, Message, Name, Octets32, Title, read
from fob_protocol.office.patterns import SERIAL

REGIONS_LIMIT = 16

Serial = Annotated[str, Meta(pattern=SERIAL)]


class RegionUse(IntEnum):
    """What a region of memory is for: as the kinds of components."""

    MODULES = 1
    DATA = 2


class Region(Message, frozen=True):
    """`start` and `size` in octets."""

    name: Name
    start: Count
    size: Count
    use: RegionUse


class FactoryRecord(Message, tag=1, frozen=True):
    """*factory record*: `authorisation_key` is derived of the device's secret, which stays in the device (MP4)."""

    serial: Serial
    hardware: Name
    title: Title
    signing_key: Octets32
    sealing_key: Octets32
    authorisation_key: Octets32
    regions: Annotated[tuple[Region, ...], Meta(max_length=REGIONS_LIMIT)]

    def sealed(self, system_key: Ed25519PrivateKey, office: bytes) -> bytes:
        """For the office whose sealing key (raw) this is."""
        signed = sign1.sign(system_key, Label.FACTORY_RECORD, [], self.octets())
        return hpke.seal_to(office, Label.FACTORY_RECORD, [], signed)

    def __repr__(self) -> str:
        return f"FactoryRecord({self.serial!r}, ...)"


def open_factory_record(key: X25519PrivateKey, sealed: bytes) -> FactoryRecord:
    """At the office. Raises OfficeError when it is not sealed to `key`, or not signed by the device's own key."""
    try:
        signed = hpke.unseal_with(key, Label.FACTORY_RECORD, [], sealed)
        record = read(FactoryRecord, sign1.unverified_payload(signed))
        sign1.verify(record.signing_key, Label.FACTORY_RECORD, [], signed)
    except CoseError as error:
        raise OfficeError(Fault.WRONG_SIGNATURE, f"no factory record for this office: {error}") from None
    return record


def authorisation_key(device_secret: bytes, serial: str) -> bytes:
    """K_dev_auth, 32 octets."""
    return derive(device_secret, None, ["fob/1 authorisation key", serial])
