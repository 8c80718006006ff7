"""Which indicia stand in transactions, and of which the log says that they are lost (M26, M27, M29)."""

from typing import Final

from sqlalchemy import Connection, bindparam, select

from fob_office.centre.database.leaves import Gap
from fob_office.centre.database.limits import GAP_REACH
from fob_office.centre.database.tables import ENTRIES, TRANSACTIONS
from fob_protocol.cose import cbor, sign1
from fob_protocol.cose.errors import CborError, CoseError
from fob_protocol.metering.kinds import Deed
from fob_protocol.metering.log.entry import Kind
from fob_protocol.office.errors import OfficeError
from fob_protocol.office.message import read

_ISSUED: Final = (
    select(ENTRIES.c.content)
    .join(TRANSACTIONS, TRANSACTIONS.c.entry == ENTRIES.c.number)
    .where(TRANSACTIONS.c.serial == bindparam("of"), TRANSACTIONS.c.counter == bindparam("at"))
)
_NEXT: Final = (
    select(TRANSACTIONS.c.entry)
    .where(TRANSACTIONS.c.serial == bindparam("of"), TRANSACTIONS.c.counter > bindparam("at"))
    .order_by(TRANSACTIONS.c.counter)
    .limit(1)
)
_NOTES: Final = select(ENTRIES.c.content).where(
    ENTRIES.c.number > bindparam("entry"), ENTRIES.c.number <= bindparam("last"), ENTRIES.c.kind == int(Kind.NOTE)
)


def is_issued(connection: Connection, serial: str, counter: int, piece: int, indicium: bytes) -> bool:
    """Whether a transaction made it."""
    signed = connection.scalar(_ISSUED, {"of": serial, "at": counter})
    return signed is not None and _made(signed, piece) == indicium


def is_lost(connection: Connection, serial: str, counter: int) -> bool:
    """Whether a note says that the transaction with this counter went with a database that was put back.

    The note stands in the log behind the transaction that follows the gap.
    """
    entry = connection.scalar(_NEXT, {"of": serial, "at": counter})
    if entry is None:
        return False
    notes = connection.scalars(_NOTES, {"entry": entry, "last": entry + GAP_REACH})
    return any(_is_over(note, serial, counter) for note in notes)


def _is_over(note: bytes, serial: str, counter: int) -> bool:
    try:
        gap = read(Gap, note)
    except OfficeError:
        return False
    return gap.serial == serial and (gap.before or 0) < counter < gap.counter


def _made(signed: bytes, piece: int) -> bytes | None:
    """The indicium of a piece, by a transaction record; nothing where that says something else."""
    try:
        record = cbor.decode(sign1.unverified_payload(signed))
    except (CborError, CoseError):
        return None
    match record:
        case [1, _, _, Deed.FRANK, _, _, _, _, _, _, [*indicia], *_] if piece < len(indicia):
            match indicia[piece]:
                case [bytes() as indicium, *_]:
                    return indicium
    return None
