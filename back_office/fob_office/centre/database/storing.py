"""Step 6 of many transactions at once, and none in another's way (docs/meter-protocol.md, section 5)."""

from collections.abc import Sequence
from functools import cache
from typing import Final

from sqlalchemy import Connection, Executable, Table, bindparam, select, update
from sqlalchemy.dialects import postgresql, sqlite

from fob_office.centre.bus.errors import BusRefusedError
from fob_office.centre.commands.database import Stored
from fob_office.centre.database.inserting import changed, insert_all
from fob_office.centre.database.log import append, damaged, lock_head
from fob_office.centre.database.prepared import Prepared, Row
from fob_office.centre.database.tables import INDICIA, JOURNAL, MAILERS, METERS, PAYOUTS, TRANSACTIONS
from fob_office.centre.words import Word
from fob_office.database.engine import SQLITE

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
_JOURNAL: Final = select(JOURNAL.c.request).where(JOURNAL.c.id == bindparam("request_id"))
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
    if given_back := [row for prepared in batch for row in prepared.given_back]:
        connection.execute(_give_back(connection.dialect.name), given_back)
    _insert(connection, PAYOUTS, [prepared.payout for prepared in batch if prepared.payout is not None])
    if not append(connection, frontier, [leaf for prepared in batch for leaf in prepared.leaves]):
        raise damaged("there are entries after its head")


def _transactions(batch: Sequence[Prepared], number: int) -> list[Row]:
    """Each names its entry."""
    rows = []
    for prepared in batch:
        if prepared.transaction is not None:
            rows.append({**prepared.transaction, "entry": number})
        number += len(prepared.leaves)
    return rows


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
def _give_back(dialect: str) -> Executable:
    insert = sqlite.insert(INDICIA) if dialect == SQLITE else postgresql.insert(INDICIA)
    made = insert.values(given_back=1, seen=0)
    return made.on_conflict_do_update(index_elements=[INDICIA.c.digest], set_={"given_back": 1})


def _answer(connection: Connection, prepared: Prepared, table: Table) -> Stored | BusRefusedError:
    """To one that does not fit; the journal comes before all else."""
    if table is JOURNAL:
        held = connection.scalar(_JOURNAL, {"request_id": prepared.journal["id"]})
        if held == prepared.journal["request"]:
            return Stored(is_new=False)
        return BusRefusedError(Word.ID_USED, "something else was done under this request id")
    if table is MAILERS and prepared.mailer is not None and (name := prepared.mailer.get("name")) is not None:
        held = connection.scalar(_NAME, {"name": name})
        if held is not None and held != prepared.mailer["key"]:
            return BusRefusedError(Word.NAME_TAKEN, "another mailer has this name")
    return BusRefusedError(Word.CONFLICT, f"another record stands in the {table.name}")
