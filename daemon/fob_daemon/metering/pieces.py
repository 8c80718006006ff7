"""Pieces as the device will take them: looked at before anything is asked, and cut into requests (M17)."""

from collections.abc import Sequence
from typing import Final

from fob_daemon.metering.limits import GRAMS_LIMIT, PLACE_RULE
from fob_daemon.metering.views import Piece
from fob_protocol.at.values import Values, encode_values
from fob_protocol.limits import TEXT_LIMIT
from fob_protocol.metering.indicium import addressee_digest, is_place
from fob_protocol.metering.limits import AMOUNT_LIMIT, BATCH_LIMIT

# Of a command's octets, for its name, order and caller.
_HEAD: Final = 4096


def fault_of(piece: Piece) -> str | None:
    """What is wrong with it, for a person; None when nothing is."""
    for what, place in (("destination", piece.destination), ("origin", piece.origin)):
        if place is not None and not is_place(place):
            return f"the {what} has to be {PLACE_RULE}"
    if (piece.grams is None) == (piece.amount is None):
        return "it has to have a weight, or an amount"
    if piece.grams is not None and not (1 <= piece.grams <= GRAMS_LIMIT and piece.zone):
        return f"the weight has to be 1 to {GRAMS_LIMIT:,} g, with a zone"
    if piece.amount is not None and (not 1 <= piece.amount <= AMOUNT_LIMIT or piece.zone is not None):
        return f"the amount has to be 1 to {AMOUNT_LIMIT}, without a zone"
    try:
        addressee_digest(piece.address)
    except ValueError as error:
        return str(error)
    return None


def first_request(pieces: Sequence[Piece]) -> tuple[Piece, ...]:
    """As many of the first ones as one request holds: BATCH_LIMIT, and what a command may have of octets."""
    room = TEXT_LIMIT - _HEAD
    count = 0
    for piece in pieces[:BATCH_LIMIT]:
        room -= octets_of(piece)
        if room < 0:
            break
        count += 1
    return tuple(pieces[:count])


def octets_of(piece: Piece) -> int:
    """On the line, with the commas."""
    values = values_of(piece)
    return len(encode_values(values)) + len(values)


def values_of(piece: Piece) -> Values:
    """Seven."""
    return piece.grams, piece.service, piece.zone, piece.amount, piece.destination, piece.address, piece.origin
