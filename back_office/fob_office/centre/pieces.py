"""Pieces with the origins that the centre gives them (M28): what a permission binds, and a meter box franks."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from fob_office.centre.bus.errors import BusRefusedError
from fob_office.centre.words import Word
from fob_protocol.cose.cbor import encode
from fob_protocol.metering.limits import AMOUNT_LIMIT
from fob_protocol.metering.requests import Piece
from fob_protocol.office.hashing import digest


class Resolved(NamedTuple):
    """`octets` are CBOR of all pieces, each with its origin, and `digest` H of them; `amount` is the sum."""

    pieces: tuple[Piece, ...]
    octets: bytes
    digest: bytes
    amount: int


def resolve(pieces: Iterable[Piece], origins: Sequence[str]) -> Resolved:
    """Pieces that name no origin come from the mailer's first one.

    Raises BusRefusedError WRONG_ORIGIN for one that is none of the mailer's, OVER_LIMIT for more than AMOUNT_LIMIT.
    """
    resolved = tuple(_resolved(piece, origins) for piece in pieces)
    amount = sum(piece.amount for piece in resolved)
    if amount > AMOUNT_LIMIT:
        raise BusRefusedError(Word.OVER_LIMIT, f"{amount} at once; at most {AMOUNT_LIMIT}")
    octets = pieces_octets(resolved)
    return Resolved(resolved, octets, digest(octets), amount)


def pieces_octets(pieces: Sequence[Piece]) -> bytes:
    """As meter boxes read them."""
    return encode(msgspec.to_builtins(pieces, builtin_types=(bytes,)))


def _resolved(piece: Piece, origins: Sequence[str]) -> Piece:
    if piece.origin is None:
        return replace(piece, origin=origins[0])
    if piece.origin not in origins:
        raise BusRefusedError(Word.WRONG_ORIGIN, f"{piece.origin} is none of the mailer's origins")
    return piece
