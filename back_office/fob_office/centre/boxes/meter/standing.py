"""*standing*: what a meter box keeps of a meter's last transaction (docs/meter-protocol.md, section 5).

It is written in step e, before there are tokens and before the new record is signed. Both are made of it in f and g,
the same each time: what was debited and not answered can be answered again.
"""

from typing import Final

import msgspec

from fob_office.centre.boxes.rows import Row
from fob_office.centre.boxes.views import slot_of
from fob_office.centre.commands.meter import Act
from fob_protocol.metering.indicium import Indicium
from fob_protocol.metering.kinds import Deed
from fob_protocol.office.hashing import digest
from fob_protocol.office.message import read

# Tables of the store: both go to the second.
STANDINGS: Final = "standing"
CREDITS: Final = "credit"


class Standing(msgspec.Struct, frozen=True, array_like=True):
    """`view` is the one in which it was made, by which run of a process; `counter` that of the record after.

    `before` is H of the record before, as it was signed; `record` the octets of the one after it, not signed yet. So
    are `indicia`, without tokens: those made, or the one given back.
    """

    view: int
    counter: int
    run: bytes
    act: Act
    deed: Deed
    amount: int
    before: bytes | None
    record: bytes
    indicia: tuple[bytes, ...]
    time: int
    # What permitted it: who ends the transaction later has to show it to a transaction box.
    voucher: bytes


# Octets of H(row) in a mark: two rows of one rank are told apart, and nobody looks for collisions of his own standings.
_MARK_SIZE: Final = 16


class Rank(msgspec.Struct, frozen=True, array_like=True, order=True):
    """The beginning of a standing: of two of a meter, the greater one is the right one."""

    view: int
    counter: int


class _Run(msgspec.Struct, frozen=True, array_like=True):
    view: int
    counter: int
    run: bytes


_ENCODER: Final = msgspec.msgpack.Encoder()
_STANDING: Final = msgspec.msgpack.Decoder(Standing)
_RUN: Final = msgspec.msgpack.Decoder(_Run)
_RANK: Final = msgspec.msgpack.Decoder(Rank)


def standing_key(serial: str) -> bytes:
    """In the order of slots."""
    return bytes([slot_of(serial)]) + serial.encode()


def credit_key(serial: str, counter: int, piece: int) -> bytes:
    """Of an indicium that was given back."""
    return standing_key(serial) + b"\0" + counter.to_bytes(8) + bytes([piece])


def standing_of_credit(key: bytes) -> bytes:
    """The key of its meter's standing."""
    # The first octet is the slot, and may be 0.
    return key[:1] + key[1:].partition(b"\0")[0]


def rows_of(serial: str, standing: Standing) -> tuple[Row, ...]:
    """All that one transaction wrote: for an indicium that was given back, that it was."""
    row = Row(STANDINGS, standing_key(serial), _ENCODER.encode(standing))
    if standing.deed != Deed.CREDIT:
        return (row,)
    unused = read(Indicium, standing.indicia[0])
    # With the view in which it was given back, as the rank of the row.
    rank = _ENCODER.encode(Rank(standing.view, 0))
    return row, Row(CREDITS, credit_key(serial, unused.counter, unused.piece), rank)


def read_standing(octets: bytes) -> Standing:
    """Raises msgspec.DecodeError, ValidationError."""
    return _STANDING.decode(octets)


def rank_of(octets: bytes) -> Rank:
    """Of any row. Raises msgspec.DecodeError, ValidationError."""
    return _RANK.decode(octets)


def mark_of(octets: bytes) -> bytes:
    """Of any row: its rank, which reads as the row's does, and which row it is. Raises as `rank_of` does."""
    rank = rank_of(octets)
    return _ENCODER.encode([rank.view, rank.counter, digest(octets)[:_MARK_SIZE]])


def run_of(octets: bytes) -> bytes:
    """By which run of a process a standing was made. Raises msgspec.DecodeError, ValidationError."""
    return _RUN.decode(octets).run
