"""Whether indicia are those that were asked for (M17, M27, X6); their tokens are for the post to check."""

from collections.abc import Sequence
from datetime import UTC, datetime

from fob_protocol.metering.faults import MeterError, MeterFault
from fob_protocol.metering.indicium import Indicium, date_of, read_indicium
from fob_protocol.metering.limits import CLOCK_SKEW, REQUEST_TIME
from fob_protocol.metering.requests import FrankRequest, Piece
from fob_protocol.metering.transaction import TransactionRecord
from fob_protocol.metering.values import Indicated
from fob_protocol.office.errors import OfficeError


def check_indicia(
    order: FrankRequest, transaction: TransactionRecord, value_kind: str | None, origins: Sequence[str]
) -> None:
    """One for each piece, in their order; the first origin is that of pieces which name none. Raises MeterError."""
    if len(transaction.indicia) != len(order.pieces):
        raise _wrong(f"{len(transaction.indicia)} indicia for {len(order.pieces)} pieces")
    ascending = transaction.ascending - transaction.amount
    for number, (piece, indicated) in enumerate(zip(order.pieces, transaction.indicia, strict=True)):
        indicium = _read(indicated)
        ascending += piece.amount
        where = (indicium.serial, indicium.counter, indicium.piece, indicium.ascending)
        if where != (transaction.serial, transaction.counter, number, ascending):
            raise _wrong(f"the indicium of piece {number} is of another place")
        if value_kind not in (None, indicium.value_kind):
            raise _wrong(f"piece {number} is of {indicium.value_kind}")
        if indicium.date not in _dates(order.time):
            raise _wrong(f"piece {number} is of {indicium.date}")
        _check_piece(number, piece, indicium, origins)


def _check_piece(number: int, piece: Piece, indicium: Indicium, origins: Sequence[str]) -> None:
    asked = (piece.amount, piece.destination, piece.addressee, piece.mail_class)
    if (indicium.amount, indicium.destination, indicium.addressee, indicium.mail_class) != asked:
        raise _wrong(f"piece {number} is not what was asked for")
    origin = piece.origin or (origins[0] if origins else None)
    if origin not in (None, indicium.origin):
        raise _wrong(f"piece {number} is from {indicium.origin}")


def _read(indicated: Indicated) -> Indicium:
    try:
        return read_indicium(indicated)
    except OfficeError as error:
        raise _wrong(error.why) from None


def _dates(asked: int) -> set[int]:
    """Days on which a request of that time may have been done, UTC."""
    return {date_of(datetime.fromtimestamp(time, UTC).date()) for time in (asked - CLOCK_SKEW, asked + REQUEST_TIME)}


def _wrong(why: str) -> MeterError:
    return MeterError(MeterFault.WRONG_PIECES, why)
