"""Which files of an installation are others than those that an operator has added."""

import hashlib
from typing import Final

from sqlalchemy.orm import Session

from fob_office.errors import OperatorError
from fob_office.office import Office
from fob_office.programs.programs import reference
from fob_office.programs.service import program_of
from fob_protocol.integrity.limits import FILE_NAME_LIMIT, PIECE_SIZE
from fob_protocol.integrity.source import Source
from fob_protocol.office.component import words
from fob_protocol.office.message import Version

# CBOR `[name, size]`, before a file's octets: a name's characters have up to four octets, each number up to nine.
_HEAD_MOST: Final = 1 + 9 + 4 * FILE_NAME_LIMIT + 9
# Behind these in CBOR's first octet come 1, 2, 4 or 8 octets of the number.
_LONGER: Final = 24


def compare(session: Session, office: Office, name: str, version: Version, here: Source) -> tuple[int, dict[str, str]]:
    """How many files there are in both together, and how those stand that differ, by name.

    Raises NotFoundError, OperatorError: it is a component.
    """
    program = program_of(session, name, version)
    if program.release is not None:
        command = f"fob-office component show {name} {words(version)}"
        raise OperatorError(f"{program.called} was not compared", "it is a component", command)
    theirs, ours = files_of(reference(session, office, None, program.installation)), files_of(here)
    every = sorted(theirs.keys() | ours.keys())
    return len(every), {file: _words(file, theirs, ours) for file in every if theirs.get(file) != ours.get(file)}


def files_of(source: Source) -> dict[str, bytes]:
    """SHA-256 of each file, by its name, of an installation as one octet string."""
    found, at = {}, 0
    while at < source.length:
        head = source.read(at, min(_HEAD_MOST, source.length - at))
        length, begin = _number(head, 1)
        size, end = _number(head, begin + length)
        found[head[begin : begin + length].decode()] = _digest(source, at + end, size)
        at += end + size
    return found


def _words(file: str, theirs: dict[str, bytes], ours: dict[str, bytes]) -> str:
    if file not in theirs:
        return "only here"
    return "other octets" if file in ours else "only in the office"


def _digest(source: Source, at: int, size: int) -> bytes:
    value = hashlib.sha256()
    for begin in range(at, at + size, PIECE_SIZE):
        value.update(source.read(begin, min(PIECE_SIZE, at + size - begin)))
    return value.digest()


def _number(octets: bytes, at: int) -> tuple[int, int]:
    """The number in a CBOR item's head (RFC 8949, section 3), and where that ends."""
    short = octets[at] & 0x1F
    if short < _LONGER:
        return short, at + 1
    end = at + 1 + (1 << (short - _LONGER))
    return int.from_bytes(octets[at + 1 : end]), end
