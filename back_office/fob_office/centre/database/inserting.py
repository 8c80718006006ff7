"""Rows that are new, for either database."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Connection, Executable, Table
from sqlalchemy.dialects import postgresql, sqlite

from fob_office.database.engine import SQLITE


def insert_all(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> bool:
    """In one statement; False when one of them was there already, and nothing is known of the others."""
    if not rows:
        return True
    return changed(connection, _insert(connection.dialect.name, table), rows) == len(rows)


def changed(connection: Connection, statement: Executable, rows: Sequence[Mapping[str, Any]]) -> int:
    """How many rows a statement inserted or changed, done for each of `rows`."""
    options = {"preserve_rowcount": True}
    return connection.execute(statement, list(rows), execution_options=options).rowcount


def insert_into(dialect: str, table: Table) -> sqlite.Insert | postgresql.Insert:
    """Which knows ON CONFLICT."""
    return sqlite.insert(table) if dialect == SQLITE else postgresql.insert(table)


@cache
def _insert(dialect: str, table: Table) -> Executable:
    return insert_into(dialect, table).on_conflict_do_nothing()
