"""Token objects as rows; every change takes the next generation."""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field

from fob_device.store.token_row import next_generation


@dataclass(frozen=True, slots=True)
class ObjectRow:
    """`attributes` as stored (store/codec.py), None for a destroyed object; `sealed` its secret, if it has one."""

    handle: int
    generation: int
    attributes: bytes | None
    sealed: bytes | None = field(repr=False)


_COLUMNS = "handle, generation, attributes, sealed"


def next_handle(connection: sqlite3.Connection) -> int:
    """The handle that the next object gets; never one that was given before."""
    row = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'object'").fetchone()
    return int(row[0]) + 1 if row else 1


def count_objects(connection: sqlite3.Connection) -> int:
    """How many objects there are, destroyed ones not counted."""
    (count,) = connection.execute("SELECT count(*) FROM object WHERE attributes IS NOT NULL").fetchone()
    return int(count)


def insert_object(connection: sqlite3.Connection, handle: int, attributes: bytes, sealed: bytes | None) -> int:
    """Store a new object; its generation."""
    generation = next_generation(connection)
    connection.execute(
        f"INSERT INTO object ({_COLUMNS}) VALUES (?, ?, ?, ?)",  # noqa: S608 - a constant
        (handle, generation, attributes, sealed),
    )
    return generation


def update_object(connection: sqlite3.Connection, handle: int, attributes: bytes, sealed: bytes | None) -> int:
    """Change an object; its new generation."""
    generation = next_generation(connection)
    connection.execute(
        "UPDATE object SET generation = ?, attributes = ?, sealed = ? WHERE handle = ?",
        (generation, attributes, sealed, handle),
    )
    return generation


def bury_object(connection: sqlite3.Connection, handle: int) -> None:
    """Destroy an object and its setting; a tombstone with the next generation stays."""
    connection.execute("DELETE FROM key_setting WHERE handle = ?", (handle,))
    connection.execute(
        "UPDATE object SET generation = ?, attributes = NULL, sealed = NULL WHERE handle = ?",
        (next_generation(connection), handle),
    )


def bury_all_objects(connection: sqlite3.Connection) -> None:
    """Destroy every object."""
    rows = connection.execute("SELECT handle FROM object WHERE attributes IS NOT NULL ORDER BY handle").fetchall()
    for (handle,) in rows:
        bury_object(connection, handle)


def read_object(connection: sqlite3.Connection, handle: int) -> ObjectRow | None:
    """A live object, None when there is no such object any more."""
    row = connection.execute(
        f"SELECT {_COLUMNS} FROM object WHERE handle = ? AND attributes IS NOT NULL",  # noqa: S608 - a constant
        (handle,),
    ).fetchone()
    return ObjectRow(*row) if row else None


def iterate_changes(connection: sqlite3.Connection, generation: int) -> Iterator[ObjectRow]:
    """What changed after `generation`, in that order; from 0 on, destroyed objects are of no interest."""
    cursor = connection.execute(
        f"SELECT {_COLUMNS} FROM object WHERE generation > ?1 AND (?1 > 0 OR attributes IS NOT NULL)"  # noqa: S608
        " ORDER BY generation",
        (generation,),
    )
    for row in cursor:
        yield ObjectRow(*row)
