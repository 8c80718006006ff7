"""The copies of programs that the device holds: sealed, one for each program."""

import sqlite3


def read_copy(connection: sqlite3.Connection, program: str) -> bytes | None:
    """The sealed copy, None when none is held."""
    row = connection.execute("SELECT sealed FROM copies WHERE program = ?", (program,)).fetchone()
    return bytes(row[0]) if row else None


def read_copied_programs(connection: sqlite3.Connection) -> list[str]:
    """Of all copies, in order."""
    return [str(program) for (program,) in connection.execute("SELECT program FROM copies ORDER BY program")]


def write_copy(connection: sqlite3.Connection, program: str, sealed: bytes) -> None:
    """Set or replace."""
    connection.execute("INSERT OR REPLACE INTO copies (program, sealed) VALUES (?, ?)", (program, sealed))
