"""Rows as they stand in the tables, for an audit: whoever holds them against the log says what is wrong with them."""

import operator
from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Column, Connection, Table, and_, literal, or_, select, tuple_

from fob_office.centre.commands.database import Cell, Rows
from fob_office.centre.database.limits import KEYS_LIMIT, PAGE_LIMIT, PAGE_ROWS, ROW_LIMIT
from fob_office.centre.database.log import damaged
from fob_office.centre.database.prepared import malformed
from fob_office.centre.database.tables import VERSIONS, metadata

_TABLES: Final = {**metadata.tables, VERSIONS.name: VERSIONS}
_OF_8_OCTETS = 1 << 63


def table_of(name: str) -> Table:
    """Raises BusRefusedError MALFORMED."""
    if name not in _TABLES:
        raise malformed("there is no such table")
    return _TABLES[name]


def rows_after(connection: Connection, table: Table, after: Sequence[Cell] | None) -> Rows:
    """As many as one answer holds, and one where there is one. Raises BusRefusedError MALFORMED, DAMAGED."""
    key = tuple(table.primary_key.columns)
    asked = select(table).order_by(*key).limit(PAGE_ROWS)
    if after is not None:
        asked = asked.where(tuple_(*key) > tuple_(*_bound(key, after)))
    return _page(table, connection.execute(asked))


def rows_of(connection: Connection, table: Table, keys: Sequence[Sequence[Cell]]) -> Rows:
    """Those that there are, as many as one answer holds. Raises BusRefusedError MALFORMED, DAMAGED."""
    if not 1 <= len(keys) <= KEYS_LIMIT:
        raise malformed(f"1 to {KEYS_LIMIT} keys at a time")
    columns = tuple(table.primary_key.columns)
    wanted = (and_(*map(operator.eq, columns, _bound(columns, key))) for key in keys)
    return _page(table, connection.execute(select(table).where(or_(*wanted))))


def _bound(columns: Sequence[Column[Any]], key: Sequence[Cell]) -> list[Any]:
    """Raises BusRefusedError MALFORMED for what is no key."""
    if len(key) != len(columns):
        raise malformed(f"a key of {len(columns)} columns")
    for column, value in zip(columns, key, strict=True):
        if type(value) is not column.type.python_type:
            raise malformed(f"{column.name} is of another type")
        if isinstance(value, int) and not -_OF_8_OCTETS <= value < _OF_8_OCTETS:
            raise malformed(f"{column.name} has more than 8 octets")
    return [literal(value, column.type) for column, value in zip(columns, key, strict=True)]


def _page(table: Table, found: Any) -> Rows:
    taken: list[tuple[Cell, ...]] = []
    room = PAGE_LIMIT
    for row in found:
        cells = _fitting(table, tuple(row))
        room -= _size(cells)
        if taken and room < 0:
            break
        taken.append(cells)
    return Rows(tuple(taken))


def _fitting(table: Table, cells: tuple[Cell, ...]) -> tuple[Cell, ...]:
    """Raises BusRefusedError DAMAGED for a key that fills an answer."""
    if _size(cells) <= ROW_LIMIT:
        return cells
    kept = zip(table.columns, cells, strict=True)
    short = tuple(cell if column.primary_key else None for column, cell in kept)
    if _size(short) > ROW_LIMIT:
        raise damaged(f"somebody wrote a key of {_size(short)} octets into the {table.name}")
    return short


def _size(cells: Sequence[Cell]) -> int:
    """In an answer."""
    return sum(9 if cell is None or isinstance(cell, int) else 5 + len(_octets(cell)) for cell in cells)


def _octets(cell: str | bytes) -> bytes:
    return cell.encode() if isinstance(cell, str) else cell
