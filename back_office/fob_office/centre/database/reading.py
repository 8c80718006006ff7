"""What function servers and operators look up. Each is one statement, and none needs more than an index."""

from collections.abc import Callable, Iterable
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, Integer, bindparam, literal_column, select

from fob_office.centre.bus.errors import BusRefusedError
from fob_office.centre.commands.database import (
    Fetch,
    Fetched,
    FetchMeters,
    FetchPayouts,
    FetchTransactions,
    FetchWarnings,
    Mailer,
    Meters,
    OpenPayout,
    Payouts,
    Transactions,
    Warnings,
)
from fob_office.centre.database.limits import PAGE_LIMIT, PAGE_ROWS, PAYOUT_LIMIT, PAYOUTS_PAGE, SERIAL_LIMIT
from fob_office.centre.database.tables import ENTRIES, JOURNAL, MAILERS, METERS, PAYOUTS, TRANSACTIONS, WARNINGS
from fob_office.centre.next_step import with_next
from fob_office.centre.words import Word

ItemT = TypeVar("ItemT")

# A row to join to, though nothing else be found.
_ONE: Final = select(literal_column("1", Integer()).label("one")).subquery("one")

_FETCH: Final = (
    select(JOURNAL.c.request, JOURNAL.c.answer, METERS.c.record, MAILERS.c.record)
    .select_from(_ONE)
    .outerjoin(JOURNAL, JOURNAL.c.id == bindparam("place"))
    .outerjoin(METERS, METERS.c.serial == bindparam("serial"))
    .outerjoin(MAILERS, MAILERS.c.account == METERS.c.account)
)
_FIND: Final = (
    select(JOURNAL.c.request, JOURNAL.c.answer, MAILERS.c.record, METERS.c.serial)
    .select_from(_ONE)
    .outerjoin(JOURNAL, JOURNAL.c.id == bindparam("place"))
    .outerjoin(MAILERS, MAILERS.c.name == bindparam("name"))
    .outerjoin(METERS, METERS.c.account == MAILERS.c.account)
    .order_by(METERS.c.serial)
    .limit(literal_column("1", Integer()))
)
_LIMIT: Final = bindparam("limit", type_=Integer())
_TRANSACTIONS: Final = (
    select(ENTRIES.c.content)
    .join(TRANSACTIONS, TRANSACTIONS.c.entry == ENTRIES.c.number)
    .where(TRANSACTIONS.c.serial == bindparam("serial"), TRANSACTIONS.c.counter > bindparam("after"))
    .order_by(TRANSACTIONS.c.counter)
    .limit(_LIMIT)
)
_METERS: Final = (
    select(METERS.c.serial, METERS.c.record)
    .where(METERS.c.serial > bindparam("after"))
    .order_by(METERS.c.serial)
    .limit(_LIMIT)
)
_WARNINGS: Final = (
    select(WARNINGS.c.id, WARNINGS.c.word, WARNINGS.c.serial, WARNINGS.c.why, WARNINGS.c.time)
    .where(WARNINGS.c.id > bindparam("after"))
    .order_by(WARNINGS.c.id)
    .limit(literal_column(str(PAGE_ROWS), Integer()))
)
_PAYOUTS: Final = (
    select(
        PAYOUTS.c.account,
        PAYOUTS.c.serial,
        PAYOUTS.c.number,
        PAYOUTS.c.amount,
        PAYOUTS.c.request,
        PAYOUTS.c.signed,
        ENTRIES.c.content,
        PAYOUTS.c.id,
    )
    .select_from(PAYOUTS)
    # The entry of its transaction, and then that of the meter record.
    .outerjoin(ENTRIES, ENTRIES.c.number == PAYOUTS.c.id + literal_column("1", Integer()))
    .where(PAYOUTS.c.receipt.is_(None), PAYOUTS.c.id > bindparam("after"))
    .order_by(PAYOUTS.c.id)
    .limit(literal_column(str(PAYOUTS_PAGE), Integer()))
)


def fetch(connection: Connection, asked: Fetch) -> Fetched:
    """In one look; what is not there is null."""
    found = {"place": asked.place, "serial": asked.serial}
    request, answer, meter, user = connection.execute(_FETCH, found).one()
    return Fetched(None if request is None else (request, answer), meter, user)


def find_mailer(connection: Connection, place: bytes, name: str) -> Mailer:
    """By a name as `name_key` gives it."""
    request, answer, user, serial = connection.execute(_FIND, {"place": place, "name": name}).one()
    return Mailer(None if request is None else (request, answer), user, serial)


def fetch_transactions(connection: Connection, asked: FetchTransactions) -> Transactions:
    """As many as one answer holds."""
    found = {"serial": asked.serial, "after": asked.after, "limit": min(asked.count, PAGE_ROWS)}
    return Transactions(page(connection.scalars(_TRANSACTIONS, found), len))


def fetch_meters(connection: Connection, asked: FetchMeters) -> Meters:
    """As many as one answer holds. Raises BusRefusedError DAMAGED."""
    found = {"after": asked.after, "limit": min(asked.count, PAGE_ROWS)}
    rows = (_checked(row.serial, row.record) for row in connection.execute(_METERS, found))
    return Meters(page(rows, lambda row: len(row[0].encode()) + len(row[1])))


def _checked(serial: str, record: bytes) -> tuple[str, bytes]:
    """A serial that can be asked for again."""
    if len(serial) > SERIAL_LIMIT or "\0" in serial:
        why = f"somebody wrote a serial number of {len(serial)} characters into the meters"
        raise BusRefusedError(Word.DAMAGED, with_next(why, "audit"))
    return serial, record


def fetch_warnings(connection: Connection, asked: FetchWarnings) -> Warnings:
    """As many as one answer holds."""
    rows = connection.execute(_WARNINGS, {"after": asked.after})
    return Warnings(tuple((row.id, row.word, row.serial, row.why, row.time) for row in rows))


def fetch_payouts(connection: Connection, asked: FetchPayouts) -> Payouts:
    """The oldest above an id."""
    return Payouts(tuple(_open_payout(*row) for row in connection.execute(_PAYOUTS, {"after": asked.after})))


def _open_payout(*cells: Any) -> OpenPayout:
    """Its id alone, where somebody wrote more there than any box makes: so a page fits a frame."""
    if sum(len(cell) for cell in cells if isinstance(cell, bytes | str)) > PAYOUT_LIMIT:
        return OpenPayout(b"", "", 0, 0, b"", b"", None, cells[-1])
    return OpenPayout(*cells)


def page(items: Iterable[ItemT], size: Callable[[ItemT], int]) -> tuple[ItemT, ...]:
    """The first of them, as many as PAGE_LIMIT octets hold, and always one."""
    taken: list[ItemT] = []
    room = PAGE_LIMIT
    for item in items:
        room -= size(item)
        if taken and room < 0:
            break
        taken.append(item)
    return tuple(taken)
