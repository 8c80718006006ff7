"""The device's static private key, sealed."""

import sqlite3


def write_identity(connection: sqlite3.Connection, sealed: bytes) -> None:
    """Store the identity of a new phone."""
    connection.execute("INSERT INTO identity (only_one, sealed) VALUES (1, ?)", (sealed,))


def read_identity(connection: sqlite3.Connection) -> bytes | None:
    """The sealed key, None when there is none."""
    row = connection.execute("SELECT sealed FROM identity").fetchone()
    return bytes(row[0]) if row else None
