"""What the office grants, as it came: kept like that, so that each start can check every signature again."""

from collections.abc import Callable
from dataclasses import dataclass, field

from fob_device.components.equipment import Equipment
from fob_device.components.pairing_up import pair_up
from fob_protocol.cose import sign1
from fob_protocol.cose.errors import CoseError
from fob_protocol.cose.headers import key_id
from fob_protocol.office.certificate import Certificate, Usage, read_certificate
from fob_protocol.office.component import Component
from fob_protocol.office.configuration import Granted
from fob_protocol.office.errors import Fault, OfficeError
from fob_protocol.office.hashing import digest
from fob_protocol.office.manifest import Entry, Manifest, read_manifest
from fob_protocol.office.message import Message, read
from fob_protocol.office.release import Release, read_release, unwrap_key

# A signed certificate, a server (None: any) and a usage; raises OfficeError for one that does not hold.
Certify = Callable[[bytes, str | None, Usage], Certificate]


class Offer(Message, tag=1, frozen=True):
    """`certificate`: the configuration server's, signed; `granted`: a Granted's octets."""

    certificate: bytes
    granted: bytes


@dataclass(frozen=True, slots=True)
class Item:
    """A component of a set: its line in the program vector table, its release, and the key of its content."""

    entry: Entry
    release: Release
    key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class OpenedOffer:
    """Everything is signed by whom it should be and belongs together; no rule of placing or age is looked at yet."""

    granted: Granted = field(repr=False)
    manifest: Manifest
    items: tuple[Item, ...]
    server: Certificate

    @property
    def in_order(self) -> list[Item]:
        """As they start."""
        return sorted(self.items, key=lambda item: item.entry.order)

    @property
    def catalogue(self) -> tuple[Component, ...]:
        """As codes and reports have it (C18, C20)."""
        return tuple(sorted((item.release.component for item in self.items), key=lambda component: component.id))


def open_offer(offer: Offer, equipment: Equipment, certify: Certify, challenge: bytes | None) -> OpenedOffer:
    """What this device was granted; `challenge` of the request, or None when it is over. Raises OfficeError."""
    granted = read(Granted, offer.granted)
    server = certify(offer.certificate, equipment.server, Usage.CONFIGURATION)
    makers = [certify(certificate, None, Usage.RELEASE) for certificate in granted.release_certificates]
    manifest = read_manifest(server, granted.manifest, equipment.key_id, challenge)
    releases = [_read_release(makers, signed) for signed in granted.releases]
    digests = [digest(signed) for signed in granted.releases]
    pair_up(manifest.entries, list(zip(digests, releases, strict=True)), len(granted.keys))
    keys = [
        unwrap_key(wrapped, equipment.sealing_key, signed)
        for wrapped, signed in zip(granted.keys, granted.releases, strict=True)
    ]
    items = tuple(map(Item, manifest.entries, releases, keys))
    return OpenedOffer(granted, manifest, items, server)


def issued_by(issuer: bytes) -> Certify:
    """As a start looks at certificates: who signed, and for what. That one is over since stops nothing that runs."""

    def certify(signed: bytes, server: str | None, usage: Usage) -> Certificate:
        certificate = read_certificate(issuer, signed)
        if server not in (None, certificate.server):
            raise OfficeError(Fault.OTHER_SERVER, f"it is of {certificate.server}, not of {server}")
        if usage not in certificate.usages:
            raise OfficeError(Fault.OTHER_USAGE, f"{certificate.server} has no certificate for {usage.name.lower()}")
        return certificate

    return certify


def _read_release(makers: list[Certificate], signed: bytes) -> Release:
    try:
        signer = sign1.signer_of(signed)
    except CoseError as error:
        raise OfficeError(Fault.WRONG_SIGNATURE, f"no release: {error}") from None
    for maker in makers:
        if key_id(maker.signing_key) == signer:
            return read_release(maker, signed)
    raise OfficeError(Fault.WRONG_SIGNATURE, "a release that no server with a certificate has signed")
