"""The history: a row for each record, and where it ends."""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field

from fob_protocol.history.limits import DETAILS_LIMIT, RECORD_LIMIT, SALT_SIZE, SIGNATURE_SIZE

# SQLite's largest integer.
LARGEST_SEQUENCE = (1 << 63) - 1


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """`record` and `details` as octets (fob_protocol/history), each as long as it may be and one more at most."""

    sequence: int
    record: bytes
    signature: bytes
    salt: bytes
    details: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class HistoryEnd:
    """`length` and `hash` of the newest record; `boots`: starts of the phone that made entries; `seal` binds all."""

    length: int
    hash: bytes
    boots: int
    seal: bytes = field(repr=False)


# What somebody wrote into the file may have any size; what is too long is read just so far that it shows.
# (substr gives NULL for an empty blob.)
_BOUNDED = ", ".join(
    f"ifnull(substr({column}, 1, {size + 1}), x'')"
    for column, size in (
        ("record", RECORD_LIMIT),
        ("signature", SIGNATURE_SIZE),
        ("salt", SALT_SIZE),
        ("details", DETAILS_LIMIT),
    )
)


def write_record(connection: sqlite3.Connection, row: HistoryRow) -> None:
    """Add a record, in the place of whatever somebody else put there."""
    connection.execute(
        "INSERT OR REPLACE INTO history (sequence, record, signature, salt, details) VALUES (?, ?, ?, ?, ?)",
        (row.sequence, row.record, row.signature, row.salt, row.details),
    )


def drop_records(connection: sqlite3.Connection, up_to: int) -> None:
    """Drop the oldest records."""
    connection.execute("DELETE FROM history WHERE sequence <= ?", (up_to,))


def iterate_records(connection: sqlite3.Connection, sequence: int) -> Iterator[HistoryRow]:
    """The records from `sequence` on, oldest first."""
    query = f"SELECT sequence, {_BOUNDED} FROM history WHERE sequence >= ? ORDER BY sequence"  # noqa: S608 - constants
    for row in connection.execute(query, (min(sequence, LARGEST_SEQUENCE),)):
        yield HistoryRow(*row)


def newest_records(connection: sqlite3.Connection, before: int, count: int) -> list[HistoryRow]:
    """At most `count` records of a lower sequence than `before`, newest first."""
    query = f"SELECT sequence, {_BOUNDED} FROM history WHERE sequence < ? ORDER BY sequence DESC LIMIT ?"  # noqa: S608
    return [HistoryRow(*row) for row in connection.execute(query, (min(before, LARGEST_SEQUENCE), count))]


def read_end(connection: sqlite3.Connection) -> HistoryEnd | None:
    """Where the history ends; None when somebody took that away."""
    row = connection.execute("SELECT length, hash, boots, seal FROM history_end").fetchone()
    return HistoryEnd(*row) if row else None


def write_end(connection: sqlite3.Connection, end: HistoryEnd) -> None:
    """The history ends here now."""
    connection.execute(
        "INSERT OR REPLACE INTO history_end (only_one, length, hash, boots, seal) VALUES (1, ?, ?, ?, ?)",
        (end.length, end.hash, end.boots, end.seal),
    )


def count_use(connection: sqlite3.Connection, handle: int) -> int:
    """How often a key was used, this time included."""
    (uses,) = connection.execute(
        "INSERT INTO key_use (handle, uses) VALUES (?, 1) ON CONFLICT (handle) DO UPDATE SET uses = uses + 1"
        " RETURNING uses",
        (handle,),
    ).fetchone()
    return int(uses)
