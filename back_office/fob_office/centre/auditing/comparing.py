"""A row as it stands in a table, and as the log says that it is."""

from collections.abc import Callable, Sequence
from typing import Final

from sqlalchemy import Table

from fob_office.centre.auditing.expected import Columns, Expected, Key
from fob_office.centre.auditing.findings import NOTHING, ROW, Findings, cell_in_words, in_words, key_in_words, short
from fob_office.centre.auditing.following import without_key
from fob_office.centre.commands.database import Cell
from fob_office.centre.database.tables import CHECKPOINTS, ENTRIES, LOG_HEADS, metadata
from fob_protocol.office.hashing import digest

# All that are made from the log, whose own are looked at while it is read.
TABLES: Final = tuple(table for table in metadata.sorted_tables if table not in (CHECKPOINTS, ENTRIES, LOG_HEADS))


def key_of(table: Table, row: Sequence[Cell]) -> Key:
    """Of a row with all columns."""
    cells = zip(table.columns, row, strict=True)
    return tuple(cell for column, cell in cells if column.primary_key)


def is_right(expected: Expected, table: Table, row: Sequence[Cell]) -> bool:
    """Whether the log says this row."""
    due = expected.get(table.name, key_of(table, row))
    return due is not None and all(_fits(table, name, cell, due) for name, cell in _named(table, row))


def tell(expected: Expected, findings: Findings, table: Table, key: Key, row: Sequence[Cell] | None) -> None:
    """What is wrong with a row; None: it is not there."""
    due, shown = expected.get(table.name, key), key_in_words(key)
    if due is None or row is None:
        findings.add(table.name, shown, "", *((NOTHING, ROW) if row is not None else (ROW, NOTHING)))
        return
    for name, cell in _named(table, row):
        if not _fits(table, name, cell, due):
            findings.add(table.name, shown, name, _told(due, name), cell_in_words(cell))


def _named(table: Table, row: Sequence[Cell]) -> list[tuple[str, Cell]]:
    return [(column.name, cell) for column, cell in zip(table.columns, row, strict=True)]


def _fits(table: Table, name: str, cell: Cell, due: Columns) -> bool:
    """A column of which the log says nothing fits nothing."""
    if name not in due:
        return False
    return any(due[name] == made(cell) for made in _MADE.get((table.name, name), (short,)))


def _told(due: Columns, name: str) -> str:
    return in_words(due[name]) if name in due else "nothing of this column"


def _hashed(cell: Cell) -> Cell:
    return digest(cell) if isinstance(cell, bytes) else None


def _hashed_without_key(cell: Cell) -> Cell:
    return without_key(cell) if isinstance(cell, bytes) else None


# What of a column is compared, where that is not what stands there.
_MADE: Final[dict[tuple[str, str], Sequence[Callable[[Cell], Cell]]]] = {
    ("journal", "answer"): (_hashed, _hashed_without_key)
}
