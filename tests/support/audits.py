"""Audits of a data centre of the tests, and of copies of its database in which staff write what they like."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from sqlalchemy import Column, Connection, Table, delete, insert, select, update

from fob_office.centre.auditing.audit import Audited, Trusted, audit
from fob_office.centre.bus.commands import Command, ReplyT
from fob_office.centre.bus.passes import Kind
from fob_office.centre.commands.transaction import HeldCheckpoint
from fob_office.centre.database.exporting import export_log
from fob_office.centre.database.keeping import open_keeper
from fob_office.centre.database.tables import VERSIONS, metadata
from fob_protocol.metering.log.checkpoint import origin_of
from fob_protocol.metering.log.export import ExportHead
from support.centre_database import MeterBase, meter_base, peer
from support.data_centre import DataCentre
from support.octets import flipped

OPERATOR: Final = peer(Kind.OPERATOR)
Row = dict[str, Any]
ALL_TABLES: Final = (*metadata.sorted_tables, VERSIONS)


@contextmanager
def silent(_: str, __: int) -> Iterator[Any]:
    """No bar."""
    yield lambda _: None


async def trusted_of(centre: DataCentre) -> Trusted:
    """What an operator goes by."""
    directory = centre.boxes.open("operator-1").links.directory
    held = {
        entry.name: (await centre.ask(entry.name, HeldCheckpoint())).checkpoint
        for entry in directory.of_kind(Kind.TRANSACTION)
    }
    keys = {kind: [_signing(directory, entry.name) for entry in directory.of_kind(kind)] for kind in _SIGNING}
    origin = origin_of(centre.boxes.manufacturing_key)
    return Trusted(held, origin, keys[Kind.TRANSACTION], keys[Kind.PAYMENT], centre.now)


async def audited(centre: DataCentre) -> Audited:
    """All of it, over the bus."""
    return await audit(partial(centre.ask, "database-1"), await trusted_of(centre), silent, pause=0)


@dataclass
class Copy:
    """A copy of the tables, and how they were when it was made.

    `says`: what whoever is asked makes of a command and the answer to it.
    """

    base: MeterBase
    trusted: Trusted
    rows: dict[str, list[Row]]
    says: Callable[[Command[Any], Any], Any] = lambda _, answer: answer

    async def audited(self) -> Audited:
        """Of the copy as it is now."""
        return await audit(self._ask, self.trusted, silent, pause=0)

    async def exported(self) -> bytes:
        """The log, for who verifies it."""
        parts: list[bytes] = []
        head = ExportHead(self.trusted.origin, tuple(self.trusted.log_keys))
        await export_log(self._ask, head, parts.append)
        return b"".join(parts)

    def change(self, table: Table, key: Row, values: Row) -> None:
        """A row gets other values."""
        self._write(update(table).where(*_is(table, key)).values(values))

    def remove(self, table: Table, key: Row) -> None:
        """A row is not there any more."""
        self._write(delete(table).where(*_is(table, key)))

    def add(self, table: Table, row: Row) -> None:
        """A row more."""
        self._write(insert(table).values(row))

    def restore(self, table: Table) -> None:
        """As it was."""
        self._write(delete(table))
        if self.rows[table.name]:
            self._write(insert(table), self.rows[table.name])

    async def _ask(self, command: Command[ReplyT]) -> ReplyT:
        answered: Any = await self.base.server.table()[type(command)].handler(OPERATOR, command)
        reply: ReplyT = self.says(command, answered)
        return reply

    def _write(self, statement: Any, rows: Sequence[Row] | None = None) -> None:
        with self.base.keeper.database.write() as session:
            session.connection().execute(statement, rows)


def rows_of(centre: DataCentre) -> dict[str, list[Row]]:
    """All tables, as they are now."""
    with open_keeper(centre.database_url) as keeper, keeper.database.read() as session:
        return {table.name: _rows(session.connection(), table) for table in ALL_TABLES}


@contextmanager
def copied(rows: dict[str, list[Row]], trusted: Trusted, url: str) -> Iterator[Copy]:
    """Into an empty database."""
    with meter_base(url) as base:
        copy = Copy(base, trusted, rows)
        for table in ALL_TABLES:
            copy.restore(table)
        yield copy


def other(column: Column[Any], value: Any) -> Any:
    """Another value of the column's type."""
    if column.type.python_type is bytes:
        return b"written" if value is None else flipped(value)
    return value + 1_000_000 if column.type.python_type is int else f"{value}X"


_SIGNING: Final = (Kind.TRANSACTION, Kind.PAYMENT)


def _signing(directory: Any, name: str) -> bytes:
    key: bytes = directory.pass_of(name).signing
    return key


def _rows(connection: Connection, table: Table) -> list[Row]:
    key = table.primary_key.columns
    return [dict(row) for row in connection.execute(select(table).order_by(*key)).mappings()]


def _is(table: Table, key: Row) -> list[Any]:
    return [column == key[column.name] for column in table.primary_key.columns]
