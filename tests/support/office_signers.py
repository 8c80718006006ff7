"""The signing side of an office, without one: issuer, configuration server and release server, seeded.

Signatures repeat themselves; what is sealed to a device does not, as HPKE makes a fresh key for it.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from msgspec.structs import replace

from fob_device.components.equipment import Equipment
from fob_device.components.offer import Offer
from fob_protocol.office.authorisation import authorisation_code
from fob_protocol.office.certificate import Certificate, RevocationList, Usage
from fob_protocol.office.component import Component, Kind
from fob_protocol.office.configuration import Granted
from fob_protocol.office.hashing import digest
from fob_protocol.office.manifest import Entry, Manifest
from fob_protocol.office.release import Release, chunk_digests, chunks_of, open_content, seal_content, wrap_key

NOW: Final = 1_800_000_000
DAY: Final = 86_400
HARDWARE: Final = "meter-1"
CHALLENGE: Final = b"challenge of now"


def public(key: Ed25519PrivateKey | X25519PrivateKey) -> bytes:
    return key.public_key().public_bytes_raw()


@dataclass(frozen=True)
class Server:
    """Its private keys and its certificate."""

    signing_key: Ed25519PrivateKey
    sealing_key: X25519PrivateKey
    certificate: Certificate
    signed: bytes


@dataclass(frozen=True)
class Released:
    """A release with what it is made of."""

    release: Release
    signed: bytes
    sealed: bytes
    key: bytes

    @property
    def id(self) -> str:
        return self.release.id

    @property
    def digest(self) -> bytes:
        return digest(self.signed)

    @property
    def chunks(self) -> list[bytes]:
        return chunks_of(self.sealed)

    @property
    def content(self) -> bytes:
        return open_content(self.release, self.sealed, self.key)


@dataclass
class Draft:
    """What an office would grant, before it is signed, so that a test can spoil any part of it."""

    manifest: Manifest
    released: list[Released]
    certificates: list[bytes] = field(default_factory=list)
    keys: list[bytes] | None = None
    code: bytes | None = None

    def entry(self, index: int, **changes: object) -> None:
        """Change a line of the table."""
        entries = list(self.manifest.entries)
        entries[index] = replace(entries[index], **changes)
        self.change(entries=tuple(entries))

    def change(self, **changes: object) -> None:
        """Change the manifest."""
        self.manifest = replace(self.manifest, **changes)


class OfficeSigners:
    """Everybody who signs for one issuer."""

    def __init__(self, seed: int = 1) -> None:
        self.random = random.Random(seed)
        self.issuer = self.signing_key()
        self.configuration = self.server("config", Usage.CONFIGURATION, Usage.ENTITLEMENT)
        self.releases = self.server("releases", Usage.RELEASE)

    def signing_key(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.random.randbytes(32))

    def sealing_key(self) -> X25519PrivateKey:
        return X25519PrivateKey.from_private_bytes(self.random.randbytes(32))

    def server(self, name: str, *usages: Usage, epoch: int = 1, issuer: Ed25519PrivateKey | None = None) -> Server:
        """A new one, or another epoch of one."""
        return self.certified(
            Certificate(name, name, usages, bytes(32), bytes(32), epoch, NOW - DAY, NOW + 365 * DAY), issuer
        )

    def certified(self, certificate: Certificate, issuer: Ed25519PrivateKey | None = None) -> Server:
        """With keys of its own."""
        signing, sealing = self.signing_key(), self.sealing_key()
        made = replace(certificate, signing_key=public(signing), sealing_key=public(sealing))
        return Server(signing, sealing, made, made.signed(issuer or self.issuer))

    def revocation_list(self, number: int, **epochs: int) -> bytes:
        return RevocationList(number, NOW - DAY, NOW + DAY, epochs).signed(self.issuer)

    def release(self, name: str, content: bytes, **changes: object) -> Released:
        """Of the release server."""
        return self.release_by(self.releases, name, content, **changes)

    def release_by(self, server: Server, name: str, content: bytes, **changes: object) -> Released:
        """Version 1.0.0 of a module without commands that needs nothing; `changes` are fields of the release."""
        key = self.random.randbytes(32)
        release = Release(
            id=name,
            version=(1, 0, 0),
            title=name.title(),
            kind=Kind.MODULE,
            size=len(content),
            digest=digest(content),
            security_counter=1,
            hardware=(HARDWARE,),
            dependencies=(),
            commands=(),
            until=NOW + 30 * DAY,
            chunks=(),
        )
        release = replace(release, **changes)
        sealed = seal_content(name, release.version, content, key, self.random.randbytes(12))
        release = replace(release, chunks=release.chunks or chunk_digests(sealed))
        return Released(release, release.signed(server.signing_key), sealed, key)

    def draft(
        self, device: Equipment, released: Sequence[Released], *, set_number: int = 1, security_counter: int = 1
    ) -> Draft:
        """A good set: one behind the other from the start of their regions, in the order that is given."""
        free = {region.use.value: region.start for region in device.memory_map.regions}
        names = {region.use.value: region.name for region in device.memory_map.regions}
        entries = []
        for order, one in enumerate(released, 1):
            use = one.release.kind.value
            entries.append(Entry(one.id, one.digest, names[use], free[use], order))
            free[use] += one.release.size
        manifest = Manifest(
            device.key_id, CHALLENGE, set_number, device.hardware, NOW, NOW + DAY, security_counter, tuple(entries)
        )
        return Draft(manifest, list(released), certificates=[self.releases.signed])

    def offer(self, device: Equipment, draft: Draft, *, by: Server | None = None) -> Offer:
        """The draft signed, sealed and authorised for this device."""
        server = by or self.configuration
        keys = draft.keys
        if keys is None:
            keys = [wrap_key(one.key, public(device.sealing_key), one.signed) for one in draft.released]
        granted = Granted(
            manifest=draft.manifest.signed(server.signing_key),
            releases=tuple(one.signed for one in draft.released),
            release_certificates=tuple(draft.certificates),
            keys=tuple(keys),
            code=draft.code or self.code(device, draft),
            ticket=bytes(16),
            notices=(),
        )
        return Offer(server.signed, granted.octets())

    def code(
        self, device: Equipment, draft: Draft, *, components: Sequence[Component] | None = None, serial: str = ""
    ) -> bytes:
        """The right authorisation code, or one over something else."""
        held = [one.release.component for one in draft.released] if components is None else components
        return authorisation_code(device.authorisation_key, serial or device.serial, draft.manifest.set_number, held)
