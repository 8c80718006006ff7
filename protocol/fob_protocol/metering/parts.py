"""A file of parts: each with its length in four octets before it, and an empty one as the end.

So a file that was cut short is known as one.
"""

from collections.abc import Iterator
from typing import BinaryIO, Final

from fob_protocol.office.errors import Fault, OfficeError

_LENGTH_SIZE: Final = 4

END: Final = bytes(_LENGTH_SIZE)


def part(octets: bytes) -> bytes:
    """As it stands in the file."""
    return len(octets).to_bytes(_LENGTH_SIZE) + octets


def read_parts(file: BinaryIO, limit: int) -> Iterator[bytes]:
    """Of at most `limit` octets each.

    Raises OfficeError MALFORMED for a file that was cut short, TOO_LARGE; OSError.
    """
    while size := int.from_bytes(_exactly(file, _LENGTH_SIZE)):
        if size > limit:
            raise OfficeError(Fault.TOO_LARGE, f"a part of {size} octets; at most {limit}")
        yield _exactly(file, size)


def _exactly(file: BinaryIO, size: int) -> bytes:
    octets = file.read(size)
    if len(octets) != size:
        raise OfficeError(Fault.MALFORMED, "the file is cut short")
    return octets
