"""How much of a content has to come, by its release, before anything is fetched (endless data, extra octets)."""

from fob_protocol.cose import encrypt0
from fob_protocol.cose.headers import Algorithm, Parameter, Tag, join, protected_header
from fob_protocol.office.errors import Fault, OfficeError
from fob_protocol.office.limits import CHUNK_SIZE
from fob_protocol.office.release import Release

# AES-256-GCM's tag stands behind the ciphertext.
_TAG_SIZE = 16


def sealed_size(release: Release) -> int:
    """Octets of a release's sealed content."""
    protected = protected_header(Algorithm.AES_256_GCM, Parameter.IV, bytes(encrypt0.IV_SIZE))
    return len(join(Tag.ENCRYPT0, protected, bytes(release.size + _TAG_SIZE)))


def check_chunk_count(release: Release) -> None:
    """Raises OfficeError WRONG_SIZE."""
    needed = -(-sealed_size(release) // CHUNK_SIZE)
    if len(release.chunks) != needed:
        why = f"{release.id} has {len(release.chunks)} chunks, and its size makes {needed}"
        raise OfficeError(Fault.WRONG_SIZE, why)


def chunk_size(release: Release, index: int) -> int:
    """Octets of a chunk: all are full but the last one."""
    return min(CHUNK_SIZE, sealed_size(release) - index * CHUNK_SIZE)
