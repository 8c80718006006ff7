"""What an audit asks a database server, which it believes nothing: answers that never end are an error."""

from collections.abc import AsyncIterator, Sequence
from typing import Protocol

from sqlalchemy import Table

from fob_office.centre.auditing.comparing import key_of
from fob_office.centre.auditing.expected import Key
from fob_office.centre.bus.commands import Command, ReplyT
from fob_office.centre.bus.errors import BusRefusedError
from fob_office.centre.commands.database import Cell, Cells, FetchRows, FetchRowsOf
from fob_office.centre.rising import check_rising
from fob_office.centre.words import Word


class Database(Protocol):
    """Any of them: it is the same database."""

    async def __call__(self, command: Command[ReplyT]) -> ReplyT:
        """Raises BusRefusedError."""


def rows_above(table: Table, key: Key | None) -> FetchRows:
    """A page; from the first on where no key is said."""
    # SQLAlchemy's names are texts of a type of their own, which the bus does not know.
    return FetchRows(str(table.name), key)


async def pages_above(ask: Database, table: Table, key: Key | None) -> AsyncIterator[Sequence[Cells]]:
    """All rows above a key, page by page. Raises BusRefusedError; MALFORMED for pages that do not go up."""
    while rows := (await ask(rows_above(table, key))).rows:
        _check_shape(table, rows)
        check_rising(f"rows of {table.name}", key, (key_of(table, row) for row in rows))
        yield rows
        key = key_of(table, rows[-1])


async def rows_with(ask: Database, table: Table, keys: Sequence[Key]) -> dict[Key, Cells]:
    """Those that there are, by their keys. Raises BusRefusedError; MALFORMED for what was not asked for."""
    found: dict[Key, Cells] = {}
    left = tuple(keys)
    while left and (rows := (await ask(FetchRowsOf(str(table.name), left))).rows):
        _check_shape(table, rows)
        page = {key_of(table, row): row for row in rows}
        if not page.keys() <= set(left):
            raise BusRefusedError(Word.MALFORMED, f"rows of {table.name} came that were not asked for")
        found |= page
        left = tuple(key for key in left if key not in found)
    return found


def _check_shape(table: Table, rows: Sequence[Cells]) -> None:
    """Raises BusRefusedError MALFORMED."""
    for row in rows:
        if len(row) != len(table.columns) or not all(isinstance(cell, Cell) for cell in row):
            raise BusRefusedError(Word.MALFORMED, f"what came as a row of {table.name} is none")
