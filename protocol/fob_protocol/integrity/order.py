"""In which order the octets of a copy are hashed: where it begins, and which way it goes (V8, V9)."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

from fob_protocol.integrity.limits import PIECE_SIZE
from fob_protocol.integrity.method import Method
from fob_protocol.integrity.source import Source
from fob_protocol.office.hashing import derive

_NUMBER_SIZE = 8


class Direction(IntEnum):
    """Which way measuring goes."""

    TOWARDS_END = 0
    TOWARDS_START = 1


@dataclass(frozen=True, slots=True)
class Order:
    """`offset` is below the length, or 0 when there are no octets."""

    offset: int
    direction: Direction


def order_of(method: Method, identifier: bytes, iv: bytes | None, length: int) -> Order:
    """Both sides derive it; it is never sent. `identifier` is the UI, `length` that of the copy in octets."""
    technique, variant = method.technique, method.variant
    download = derive(identifier, None, ["fob/1 download order", technique], _NUMBER_SIZE + 1)
    salt = iv if variant.derives_with_iv else None
    operation = derive(identifier, salt, ["fob/1 measuring order", variant], _NUMBER_SIZE + 1)
    offset = direction = 0
    for octets, kind in ((download, technique), (operation, variant)):
        offset += int.from_bytes(octets[:_NUMBER_SIZE]) if kind.has_offset else 0
        direction ^= octets[-1] & 1 if kind.has_direction else 0
    return Order(offset % length if length else 0, Direction(direction))


def pieces(source: Source, order: Order) -> Iterator[bytes | bytearray]:
    """Every octet once, in order, PIECE_SIZE at a time."""
    if order.direction is Direction.TOWARDS_END:
        yield from _forwards(source, order.offset, source.length)
        yield from _forwards(source, 0, order.offset)
    else:
        border = min(order.offset + 1, source.length)
        yield from _backwards(source, 0, border)
        yield from _backwards(source, border, source.length)


def _forwards(source: Source, begin: int, end: int) -> Iterator[bytes]:
    for at in range(begin, end, PIECE_SIZE):
        yield source.read(at, min(PIECE_SIZE, end - at))


def _backwards(source: Source, begin: int, end: int) -> Iterator[bytearray]:
    for upto in range(end, begin, -PIECE_SIZE):
        at = max(begin, upto - PIECE_SIZE)
        piece = bytearray(source.read(at, upto - at))
        # In place: by slices it takes longer than the hash.
        piece.reverse()
        yield piece
