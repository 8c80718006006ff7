"""Step 6 of many transactions at once, and none in another's way (docs/meter-protocol.md, section 5)."""

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Final

from sqlalchemy import Connection, Executable, Table, bindparam, delete, select, update

from fob_office.centre.bus.errors import BusRefusedError
from fob_office.centre.commands.database import Stored, Warn
from fob_office.centre.database.inserting import changed, insert_all, insert_into
from fob_office.centre.database.log import append, damaged, lock_head
from fob_office.centre.database.noting import warn
from fob_office.centre.database.prepared import Prepared, Row
from fob_office.centre.database.reserving import was_seen
from fob_office.centre.database.tables import INDICIA, JOURNAL, MAILERS, METERS, PAYOUTS, TRANSACTIONS
from fob_office.centre.words import Word

_REPLACE_METER: Final = (
    update(METERS)
    .where(METERS.c.serial == bindparam("key"), METERS.c.counter == bindparam("before"))
    .values({name: bindparam(f"new_{name}") for name in ("account", "record", "counter", "funds")})
)
_REPLACE_MAILER: Final = (
    update(MAILERS)
    .where(MAILERS.c.account == bindparam("key"), MAILERS.c.counter == bindparam("before"))
    .values({name: bindparam(f"new_{name}") for name in ("record", "counter")})
)
_JOURNAL: Final = select(JOURNAL.c.request).where(JOURNAL.c.id == bindparam("its_place"))
_LEAVE: Final = delete(JOURNAL).where(JOURNAL.c.id == bindparam("its_place"))
_NAME: Final = select(MAILERS.c.account).where(MAILERS.c.name == bindparam("name"))


class _UnfitError(Exception):
    """Something of this kind is in the way of one of the Stores."""

    def __init__(self, table: Table) -> None:
        self.table = table
        super().__init__(table.name)


def store_all(connection: Connection, batch: Sequence[Prepared]) -> list[Stored | BusRefusedError]:
    """What each is answered; those that do not fit are found by halves, and change nothing.

    Raises BusRefusedError DAMAGED.
    """
    try:
        with connection.begin_nested():
            _store(connection, batch)
    except _UnfitError as unfit:
        if len(batch) == 1:
            return [_answer(connection, batch[0], unfit.table)]
        middle = len(batch) // 2
        return store_all(connection, batch[:middle]) + store_all(connection, batch[middle:])
    return [Stored(is_new=True)] * len(batch)


def _store(connection: Connection, batch: Sequence[Prepared]) -> None:
    """All of them. The number of statements is that of the kinds of rows. Raises _UnfitError, BusRefusedError."""
    frontier = lock_head(connection)
    _insert(connection, JOURNAL, [prepared.journal for prepared in batch])
    _put(connection, METERS, "serial", _REPLACE_METER, [prepared.meter for prepared in batch])
    _put(connection, MAILERS, "account", _REPLACE_MAILER, [prepared.mailer for prepared in batch])
    _insert(connection, TRANSACTIONS, _transactions(batch, frontier.size))
    used = _give_back(connection, batch)
    _insert(connection, PAYOUTS, _payouts(batch, frontier.size))
    if not append(connection, frontier, [leaf for prepared in batch for leaf in prepared.leaves]):
        raise damaged("there are entries after its head")
    for warning in used:
        warn(connection, warning)


def _give_back(connection: Connection, batch: Sequence[Prepared]) -> list[Warn]:
    """What is to be warned of: who gave back what the post has seen did not ask first, or it is another database."""
    given_back = [(row, prepared.journal["time"]) for prepared in batch for row in prepared.given_back]
    used = [_used(row, time) for row, time in given_back if was_seen(connection, row["digest"])]
    if given_back:
        connection.execute(_mark(connection.dialect.name), [row for row, _ in given_back])
    return used


def _used(row: Row, time: int) -> Warn:
    why = f"piece {row['piece']} of {row['counter']} was given back after the post had seen it"
    return Warn(Word.NO_REFUND, row["serial"], why, time)


def _transactions(batch: Sequence[Prepared], size: int) -> list[Row]:
    """Each names its entry."""
    numbered = zip(batch, _numbers(batch, size), strict=True)
    return [
        {**prepared.transaction, "entry": number} for prepared, number in numbered if prepared.transaction is not None
    ]


def _payouts(batch: Sequence[Prepared], size: int) -> list[Row]:
    """Each under the number of its transaction's entry: so the log says their order too."""
    numbered = zip(batch, _numbers(batch, size), strict=True)
    return [{**prepared.payout, "id": number} for prepared, number in numbered if prepared.payout is not None]


def _numbers(batch: Sequence[Prepared], size: int) -> Iterator[int]:
    """Of the first entry of each, in a log of this size."""
    for prepared in batch:
        yield size
        size += len(prepared.leaves)


def _insert(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    if not insert_all(connection, table, rows):
        raise _UnfitError(table)


def _put(connection: Connection, table: Table, key: str, replace: Executable, rows: Sequence[Row | None]) -> None:
    """New ones, and those that take the place of others. The first of a meter comes before its next ones."""
    new = [_new(row, key) for row in rows if row is not None and row["before"] is None]
    _insert(connection, table, new)
    following = [_following(row) for row in rows if row is not None and row["before"] is not None]
    if following and changed(connection, replace, following) != len(following):
        raise _UnfitError(table)


def _new(row: Row, key: str) -> Row:
    values = {name: value for name, value in row.items() if name not in ("key", "before")}
    return {key: row["key"], **values}


def _following(row: Row) -> Row:
    return {name if name in ("key", "before") else f"new_{name}": value for name, value in row.items()}


@cache
def _mark(dialect: str) -> Executable:
    made = insert_into(dialect, INDICIA).values(given_back=1, seen=0)
    return made.on_conflict_do_update(index_elements=[INDICIA.c.digest], set_={"given_back": 1})


def _answer(connection: Connection, prepared: Prepared, table: Table) -> Stored | BusRefusedError:
    """To one that does not fit; the journal comes before all else."""
    if table is JOURNAL:
        return _answer_there(connection, prepared)
    if table is MAILERS and prepared.mailer is not None and (name := prepared.mailer.get("name")) is not None:
        held = connection.scalar(_NAME, {"name": name})
        if held is not None and held != prepared.mailer["key"]:
            return BusRefusedError(Word.NAME_TAKEN, "another mailer has this name")
    return BusRefusedError(Word.CONFLICT, f"another record stands in the {table.name}")


def _answer_there(connection: Connection, prepared: Prepared) -> Stored | BusRefusedError:
    """To one in whose place of the journal something stands."""
    is_attested = prepared.transaction is not None
    if is_attested and _displaced(connection, prepared):
        return Stored(is_new=True)
    if connection.scalar(_JOURNAL, {"its_place": prepared.journal["id"]}) == prepared.journal["request"]:
        return Stored(is_new=False)
    if is_attested:
        return BusRefusedError(Word.CONFLICT, "neither journal nor record are those before it")
    return BusRefusedError(Word.ID_USED, "something else was done under this request id")


def _displaced(connection: Connection, prepared: Prepared) -> bool:
    """What a meter box did is stored, whatever stands in its place, or the meter would be locked. False: it was.

    Staff wrote there, or a mailer said an id of what was charged and cut off again, for something else.
    """
    try:
        with connection.begin_nested():
            lock_head(connection)
            connection.execute(_LEAVE, {"its_place": prepared.journal["id"]})
            _store(connection, [prepared])
            warn(connection, _displacing(prepared))
    except _UnfitError:
        return False
    return True


def _displacing(prepared: Prepared) -> Warn:
    made: Row = prepared.transaction or {}
    why = f"something else stood in the journal, in the place of the request that made record {made['counter']}"
    return Warn(Word.ID_USED, made["serial"], why, prepared.journal["time"])
