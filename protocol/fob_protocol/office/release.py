"""*release*: one version of a component, signed by whoever made it, with its content's digest and chunks (C8, C25)."""

from typing import Annotated

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from msgspec import Meta

from fob_protocol.cose import encrypt0, hpke, sign1
from fob_protocol.cose.errors import CoseError
from fob_protocol.cose.labels import Label
from fob_protocol.office.certificate import Certificate, Usage
from fob_protocol.office.component import Component, Kind
from fob_protocol.office.errors import Fault, OfficeError
from fob_protocol.office.hashing import digest
from fob_protocol.office.limits import CHUNK_SIZE, COMMANDS_LIMIT, CONTENT_LIMIT, DEPENDENCIES_LIMIT, HARDWARE_LIMIT
from fob_protocol.office.message import Count, Message, Name, Octets32, Time, Title, Version, read
from fob_protocol.office.patterns import COMMAND

CHUNKS_LIMIT = CONTENT_LIMIT // CHUNK_SIZE + 1
CONTENT_KEY_SIZE = 32

# Those of components begin with `+X` (V.250 leaves it to makers), so no component takes a name of Fob's own.
Command = Annotated[str, Meta(pattern=COMMAND)]


class Dependency(Message, frozen=True):
    """Has to be in the set, of this version or a higher one, and starts earlier."""

    id: Name
    least: Version


class Release(Message, tag=1, frozen=True):
    """`size` and `digest` are of the content, `chunks` (digests) of what it is sealed into."""

    id: Name
    version: Version
    title: Title
    kind: Kind
    size: Count
    digest: Octets32
    security_counter: Count
    hardware: Annotated[tuple[Name, ...], Meta(min_length=1, max_length=HARDWARE_LIMIT)]
    dependencies: Annotated[tuple[Dependency, ...], Meta(max_length=DEPENDENCIES_LIMIT)]
    commands: Annotated[tuple[Command, ...], Meta(max_length=COMMANDS_LIMIT)]
    until: Time
    chunks: Annotated[tuple[Octets32, ...], Meta(min_length=1)]

    @property
    def component(self) -> Component:
        """As it stands in catalogues."""
        return Component(self.id, self.version, self.digest)

    def signed(self, key: Ed25519PrivateKey) -> bytes:
        """As the release server gives it out."""
        return sign1.sign(key, Label.RELEASE, [], self.octets())


def read_release(server: Certificate, signed: bytes) -> Release:
    """A release of this server. Raises OfficeError."""
    if Usage.RELEASE not in server.usages:
        raise OfficeError(Fault.OTHER_USAGE, f"{server.server} may not release components")
    try:
        release = read(Release, sign1.verify(server.signing_key, Label.RELEASE, [], signed))
    except CoseError as error:
        raise OfficeError(Fault.WRONG_SIGNATURE, f"not released by {server.server}: {error}") from None
    if release.size > CONTENT_LIMIT or len(release.chunks) > CHUNKS_LIMIT:
        raise OfficeError(Fault.TOO_LARGE, f"{release.id} has {release.size} octets in {len(release.chunks)} chunks")
    return release


def seal_content(component_id: str, version: Version, content: bytes, key: bytes, iv: bytes) -> bytes:
    """What crosses the net: the same for every device, under a key of this release alone (MP3)."""
    return encrypt0.seal(key, iv, Label.CONTENT, [component_id, version], content)


def open_content(release: Release, sealed: bytes, key: bytes) -> bytes:
    """The component. Raises OfficeError WRONG_DIGEST, WRONG_SIZE."""
    try:
        content, _ = encrypt0.unseal(key, Label.CONTENT, [release.id, release.version], sealed)
    except CoseError as error:
        raise OfficeError(Fault.WRONG_DIGEST, f"the content of {release.id} does not open: {error}") from None
    if len(content) != release.size:
        raise OfficeError(Fault.WRONG_SIZE, f"{release.id} has {len(content)} octets, not {release.size}")
    if digest(content) != release.digest:
        raise OfficeError(Fault.WRONG_DIGEST, f"{release.id} is not what was released")
    return content


def chunks_of(sealed: bytes) -> list[bytes]:
    """Pieces of CHUNK_SIZE, the last one shorter."""
    return [sealed[at : at + CHUNK_SIZE] for at in range(0, len(sealed), CHUNK_SIZE)]


def chunk_digests(sealed: bytes) -> tuple[bytes, ...]:
    """As a release holds them."""
    return tuple(map(digest, chunks_of(sealed)))


def check_chunk(release: Release, index: int, chunk: bytes) -> None:
    """Raises OfficeError WRONG_DIGEST, TOO_LARGE."""
    if len(chunk) > CHUNK_SIZE:
        raise OfficeError(Fault.TOO_LARGE, f"a chunk of {len(chunk)} octets")
    if digest(chunk) != release.chunks[index]:
        raise OfficeError(Fault.WRONG_DIGEST, f"chunk {index + 1} of {release.id} is not what was released")


def wrap_key(key: bytes, device: bytes, release: bytes) -> bytes:
    """The content key for a device (its sealing key); `release` as it was signed (C23)."""
    return hpke.seal_to(device, Label.CONTENT_KEY, [digest(release)], key)


def unwrap_key(wrapped: bytes, device: X25519PrivateKey, release: bytes) -> bytes:
    """At the device. Raises OfficeError OTHER_DEVICE."""
    try:
        key = hpke.unseal_with(device, Label.CONTENT_KEY, [digest(release)], wrapped)
    except CoseError as error:
        raise OfficeError(Fault.OTHER_DEVICE, f"a content key for another device or release: {error}") from None
    if len(key) != CONTENT_KEY_SIZE:
        raise OfficeError(Fault.MALFORMED, "a content key of another size")
    return key
