"""What an audit asks a database server."""

from collections.abc import Sequence
from typing import Protocol

from sqlalchemy import Table

from fob_office.centre.auditing.expected import Key
from fob_office.centre.bus.commands import Command, ReplyT
from fob_office.centre.commands.database import FetchRows, FetchRowsOf


class Database(Protocol):
    """Any of them: it is the same database."""

    async def __call__(self, command: Command[ReplyT]) -> ReplyT:
        """Raises BusRefusedError."""


def rows_above(table: Table, key: Key | None) -> FetchRows:
    """A page; from the first on where no key is said."""
    # SQLAlchemy's names are texts of a type of their own, which the bus does not know.
    return FetchRows(str(table.name), key)


def rows_with(table: Table, keys: Sequence[Key]) -> FetchRowsOf:
    """Some of those with these keys."""
    return FetchRowsOf(str(table.name), tuple(keys))
