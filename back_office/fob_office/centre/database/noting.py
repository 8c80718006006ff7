"""What is noted beside transactions: warnings, money that went back, pieces that came by at the post."""

from collections.abc import Iterator
from functools import cache
from typing import Final

from sqlalchemy import Connection, Executable, Integer, Table, bindparam, delete, insert, literal_column, select, update

from fob_office.centre.bus.commands import Done
from fob_office.centre.bus.errors import BusRefusedError
from fob_office.centre.commands.database import NO_REQUEST, NoteOrder, PaidOut, Scan, Scanned, Warn
from fob_office.centre.database.inserting import insert_into
from fob_office.centre.database.issued import is_issued
from fob_office.centre.database.leaves import Answered, Leaf, PaidBack, Sighting, Warned, leaf
from fob_office.centre.database.limits import ERASED_AT_ONCE, JOURNAL_TIME
from fob_office.centre.database.log import append, damaged, lock_head
from fob_office.centre.database.reserving import is_reserved
from fob_office.centre.database.tables import INDICIA, JOURNAL, PAYOUTS, WARNINGS
from fob_office.centre.words import Word
from fob_protocol.cose import cbor
from fob_protocol.cose.errors import CborError
from fob_protocol.metering.log.entry import Kind
from fob_protocol.metering.log.tree import Frontier
from fob_protocol.metering.vouchers import Receipt
from fob_protocol.office.hashing import digest

_WARN: Final = insert(WARNINGS).returning(WARNINGS.c.id)
_PAY: Final = (
    update(PAYOUTS)
    .where(PAYOUTS.c.serial == bindparam("of"), PAYOUTS.c.number == bindparam("its_number"))
    .values(receipt=bindparam("its_receipt"))
)
_DUE: Final = select(PAYOUTS.c.account, PAYOUTS.c.amount, PAYOUTS.c.request, PAYOUTS.c.receipt).where(
    PAYOUTS.c.serial == bindparam("of"), PAYOUTS.c.number == bindparam("its_number")
)
_KNOWN: Final = select(INDICIA.c.given_back, INDICIA.c.seen).where(INDICIA.c.digest == bindparam("its_digest"))
_DONE: Final = select(JOURNAL.c.request, JOURNAL.c.answer).where(JOURNAL.c.id == bindparam("its_id"))
_ERASED_AT_ONCE: Final = literal_column(str(ERASED_AT_ONCE), Integer())


def warn(connection: Connection, asked: Warn) -> Done:
    """A row, and a note of it; where the log is damaged, which may be what is warned of, the row alone."""
    frontier = _head_if_whole(connection)
    row = {"word": asked.word, "serial": asked.serial, "why": asked.why, "time": asked.time}
    number = connection.execute(_WARN, row).scalar_one()
    if frontier is not None:
        note = Warned(number, asked.word, asked.serial, asked.why, asked.time)
        append(connection, frontier, [leaf(Kind.NOTE, note.octets())])
    return Done()


def pay_out(connection: Connection, asked: PaidOut, said: Receipt) -> Done:
    """Again too; noted once. Raises BusRefusedError NO_PAYOUT, TAMPERING, DAMAGED."""
    # Everybody who writes locks the head before a row that another one may want.
    frontier = lock_head(connection)
    if _is_paid(connection, asked, said):
        return Done()
    connection.execute(_PAY, {"of": asked.serial, "its_number": asked.number, "its_receipt": asked.receipt})
    note = PaidBack(asked.serial, asked.number, asked.receipt)
    if not append(connection, frontier, [leaf(Kind.NOTE, note.octets())]):
        raise damaged("there are entries after its head")
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
    """What was known before; noted for the next time. Raises BusRefusedError DAMAGED, ID_USED."""
    frontier = lock_head(connection)
    if (before := _scanned(connection, asked)) is not None:
        return before
    scanned, its_digest = look_up(connection, asked), digest(asked.indicium)
    if scanned.is_reserved:
        # It is no scan of the log: what comes of it is the credit's word.
        return scanned
    row = {"digest": its_digest, "serial": asked.serial, "counter": asked.counter, "piece": asked.piece}
    connection.execute(_see(connection.dialect.name), row)
    known = (scanned.seen, int(scanned.given_back))
    sighting = Sighting(asked.serial, asked.counter, asked.piece, its_digest, asked.time, *known)
    leaves = [leaf(Kind.SCAN, sighting.octets()), *_keep_scan(connection, asked, scanned)]
    if not append(connection, frontier, leaves):
        raise damaged("there are entries after its head")
    return scanned


def look_up(connection: Connection, asked: Scan) -> Scanned:
    """What is known, and nothing is noted."""
    its_digest = digest(asked.indicium)
    known = connection.execute(_KNOWN, {"its_digest": its_digest}).one_or_none()
    given_back, seen = (0, 0) if known is None else known
    was_issued = is_issued(connection, asked.serial, asked.counter, asked.piece, asked.indicium)
    return Scanned(was_issued, bool(given_back), seen, not given_back and is_reserved(connection, its_digest))


def erase(connection: Connection, now: int) -> int:
    """Some of what is over in the journal and the warnings, the oldest first; how many at most of one table."""
    lock_head(connection)
    return max(_erase(connection, JOURNAL, now - JOURNAL_TIME), _erase(connection, WARNINGS, now - JOURNAL_TIME))


def _head_if_whole(connection: Connection) -> Frontier | None:
    try:
        return lock_head(connection)
    except BusRefusedError as refused:
        if refused.word != Word.DAMAGED:
            raise
    return None


def _scanned(connection: Connection, asked: Scan) -> Scanned | None:
    """What was answered under its id. Raises BusRefusedError ID_USED, DAMAGED."""
    if asked.id == NO_REQUEST:
        return None
    row = connection.execute(_DONE, {"its_id": asked.id}).one_or_none()
    if row is None:
        return None
    if row.request != _request(asked):
        raise BusRefusedError(Word.ID_USED, "another piece was scanned under this id")
    try:
        match cbor.decode(row.answer):
            case [bool(was_issued), bool(given_back), int(seen)]:
                return Scanned(was_issued, given_back, seen)
    except CborError:
        pass
    raise damaged("the answer to a scan cannot be read")


def _keep_scan(connection: Connection, asked: Scan, scanned: Scanned) -> Iterator[Leaf]:
    if asked.id == NO_REQUEST:
        return
    request, answer = _request(asked), cbor.encode([scanned.was_issued, scanned.given_back, scanned.seen])
    row = {"id": asked.id, "request": request, "answer": answer, "time": asked.time}
    connection.execute(insert(JOURNAL), row)
    yield leaf(Kind.NOTE, Answered(asked.id, request, digest(answer), asked.time).octets())


def _request(asked: Scan) -> bytes:
    return digest(cbor.encode(["fob/1 scan", asked.serial, asked.counter, asked.piece, asked.indicium]))


def _is_paid(connection: Connection, asked: PaidOut, said: Receipt) -> bool:
    """Whether this receipt is there: no other one takes its place.

    Raises BusRefusedError NO_PAYOUT, TAMPERING: the provider did something else, or paid twice.
    """
    due = connection.execute(_DUE, {"of": asked.serial, "its_number": asked.number}).one_or_none()
    if due is None:
        raise BusRefusedError(Word.NO_PAYOUT, "nothing is to be paid back under this number")
    done = (said.serial, said.number, said.account, -said.amount, said.request_digest)
    if done != (asked.serial, asked.number, due.account, due.amount, due.request):
        raise BusRefusedError(Word.TAMPERING, "the provider's receipt is for something else")
    if due.receipt not in (None, asked.receipt):
        why = f"refund {asked.number} has another receipt already: the provider paid it twice"
        raise BusRefusedError(Word.TAMPERING, why)
    return due.receipt is not None


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
    made = insert_into(dialect, INDICIA).values(given_back=0, seen=1)
    return made.on_conflict_do_update(index_elements=[INDICIA.c.digest], set_={"seen": INDICIA.c.seen + 1})
