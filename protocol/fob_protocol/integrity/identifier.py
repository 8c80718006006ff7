"""Unique identifiers: their marks, their public names, and how they roll (V1, V21)."""

from typing import Annotated, Final

from msgspec import Meta

from fob_protocol.cose.cbor import encode
from fob_protocol.integrity.limits import IDENTIFIER_SIZE, SEED_SIZE
from fob_protocol.integrity.source import Joined, Octets, Source
from fob_protocol.office.errors import Fault, OfficeError
from fob_protocol.office.hashing import derive, digest

Seed = Annotated[bytes, Meta(min_length=SEED_SIZE, max_length=SEED_SIZE)]

_MAGIC: Final = b"fobmark1"
MARK_SIZE: Final = len(_MAGIC) + IDENTIFIER_SIZE


def mark_of(identifier: bytes) -> bytes:
    """What stands behind a program in the copy that has this identifier (MARK_SIZE octets)."""
    return _MAGIC + identifier


def read_mark(mark: bytes) -> bytes:
    """The identifier in a mark. Raises OfficeError MALFORMED."""
    if len(mark) != MARK_SIZE or not mark.startswith(_MAGIC):
        raise OfficeError(Fault.MALFORMED, "no mark of a unique identifier")
    return mark[len(_MAGIC) :]


def marked(program: Source, mark: bytes) -> Source:
    """The copy: a program with its mark."""
    return Joined(program, Octets(mark))


def identifier_name(identifier: bytes) -> bytes:
    """By which an identifier is recognised and not learned (32 octets)."""
    return digest(encode(["fob/1 identifier name", identifier]))


def next_identifier(identifier: bytes, seed: bytes, copy: bytes, server_number: int) -> bytes:
    """What an identifier rolls to with the VAL_OK of this VSSI."""
    return derive(identifier, seed, ["fob/1 next identifier", copy, server_number], IDENTIFIER_SIZE)
