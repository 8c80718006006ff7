"""What is noted beside transactions: warnings, money that went back, pieces that came by at the post."""

from functools import cache
from typing import Final

from sqlalchemy import Connection, Executable, Integer, Table, bindparam, delete, insert, literal_column, select, update
from sqlalchemy.dialects import postgresql, sqlite

from fob_office.centre.bus.commands import Done
from fob_office.centre.bus.errors import BusRefusedError
from fob_office.centre.commands.database import NoteOrder, PaidOut, Scan, Scanned, Warn
from fob_office.centre.database.leaves import Sighting, leaf
from fob_office.centre.database.limits import ERASED_AT_ONCE, JOURNAL_TIME
from fob_office.centre.database.log import append, damaged, lock_head
from fob_office.centre.database.tables import ENTRIES, INDICIA, JOURNAL, PAYOUTS, TRANSACTIONS, WARNINGS
from fob_office.centre.words import Word
from fob_office.database.engine import SQLITE
from fob_protocol.cose import cbor, sign1
from fob_protocol.cose.errors import CborError, CoseError
from fob_protocol.metering.kinds import Deed
from fob_protocol.metering.log.entry import Kind
from fob_protocol.office.hashing import digest

_WARN: Final = insert(WARNINGS)
_PAY: Final = (
    update(PAYOUTS)
    .where(PAYOUTS.c.serial == bindparam("of"), PAYOUTS.c.number == bindparam("its_number"))
    .values(receipt=bindparam("its_receipt"))
)
_ISSUED: Final = (
    select(ENTRIES.c.content)
    .join(TRANSACTIONS, TRANSACTIONS.c.entry == ENTRIES.c.number)
    .where(TRANSACTIONS.c.serial == bindparam("of"), TRANSACTIONS.c.counter == bindparam("at"))
)
_KNOWN: Final = select(INDICIA.c.given_back, INDICIA.c.seen).where(INDICIA.c.digest == bindparam("its_digest"))
_ERASED_AT_ONCE: Final = literal_column(str(ERASED_AT_ONCE), Integer())


def warn(connection: Connection, asked: Warn) -> Done:
    """One row."""
    row = {"word": asked.word, "serial": asked.serial, "why": asked.why, "time": asked.time}
    connection.execute(_WARN, row)
    return Done()


def pay_out(connection: Connection, asked: PaidOut) -> Done:
    """Again too. Raises BusRefusedError NO_PAYOUT, DAMAGED."""
    # Everybody who writes locks the head before a row that another one may want.
    lock_head(connection)
    row = {"of": asked.serial, "its_number": asked.number, "its_receipt": asked.receipt}
    if connection.execute(_PAY, row).rowcount == 0:
        raise BusRefusedError(Word.NO_PAYOUT, "nothing is to be paid back under this number")
    return Done()


def note_order(connection: Connection, asked: NoteOrder) -> Done:
    """As the entry after these. Raises BusRefusedError CONFLICT, DAMAGED."""
    frontier = lock_head(connection)
    if frontier.size != asked.size:
        raise BusRefusedError(Word.CONFLICT, f"the log has {frontier.size} entries")
    if not append(connection, frontier, [leaf(Kind.NOTE, asked.order)]):
        raise damaged("there are entries after its head")
    return Done()


def scan(connection: Connection, asked: Scan) -> Scanned:
    """What was known before; noted for the next time. Raises BusRefusedError DAMAGED."""
    frontier = lock_head(connection)
    scanned, its_digest = look_up(connection, asked), digest(asked.indicium)
    row = {"digest": its_digest, "serial": asked.serial, "counter": asked.counter, "piece": asked.piece}
    connection.execute(_see(connection.dialect.name), row)
    sighting = Sighting(asked.serial, asked.counter, asked.piece, its_digest, asked.time)
    if not append(connection, frontier, [leaf(Kind.SCAN, sighting.octets())]):
        raise damaged("there are entries after its head")
    return scanned


def look_up(connection: Connection, asked: Scan) -> Scanned:
    """What is known, and nothing is noted."""
    its_digest = digest(asked.indicium)
    issued = connection.scalar(_ISSUED, {"of": asked.serial, "at": asked.counter})
    known = connection.execute(_KNOWN, {"its_digest": its_digest}).one_or_none()
    given_back, seen = (0, 0) if known is None else known
    return Scanned(issued is not None and _made(issued, asked.piece) == asked.indicium, bool(given_back), seen)


def erase(connection: Connection, now: int) -> int:
    """Some of what is over in the journal and the warnings, the oldest first; how many at most of one table."""
    lock_head(connection)
    return max(_erase(connection, JOURNAL, now - JOURNAL_TIME), _erase(connection, WARNINGS, now - JOURNAL_TIME))


@cache
def _over(table: Table) -> Executable:
    # The number stands in the statement: PostgreSQL, which makes one plan for all values, takes "some" for a tenth.
    return select(table.c.id).where(table.c.time < bindparam("end")).order_by(table.c.time).limit(_ERASED_AT_ONCE)


@cache
def _delete(table: Table) -> Executable:
    return delete(table).where(table.c.id == bindparam("its_id"))


def _erase(connection: Connection, table: Table, end: int) -> int:
    over = [{"its_id": row[0]} for row in connection.execute(_over(table), {"end": end})]
    if over:
        connection.execute(_delete(table), over)
    return len(over)


@cache
def _see(dialect: str) -> Executable:
    made = (sqlite.insert(INDICIA) if dialect == SQLITE else postgresql.insert(INDICIA)).values(given_back=0, seen=1)
    return made.on_conflict_do_update(index_elements=[INDICIA.c.digest], set_={"seen": INDICIA.c.seen + 1})


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
