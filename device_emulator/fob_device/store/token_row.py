"""The token's own record: serial number, label, generation."""

import sqlite3
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class TokenRow:
    """`serial` 16 hex digits; `root_check` 32 octets that only the right device root key gives."""

    serial: str
    label: str
    generation: int
    root_check: bytes = field(repr=False)


def write_token(connection: sqlite3.Connection, token: TokenRow) -> None:
    """Store the record of a new token."""
    connection.execute(
        "INSERT INTO token (only_one, serial, label, generation, root_check) VALUES (1, ?, ?, ?, ?)",
        (token.serial, token.label, token.generation, token.root_check),
    )


def read_token(connection: sqlite3.Connection) -> TokenRow:
    """The record. Raises sqlite3.DatabaseError when there is none."""
    row = connection.execute("SELECT serial, label, generation, root_check FROM token").fetchone()
    if row is None:
        raise sqlite3.DatabaseError("the token's record is missing")
    return TokenRow(*row)


def write_label(connection: sqlite3.Connection, label: str) -> None:
    """Give the token another label."""
    connection.execute("UPDATE token SET label = ?", (label,))


def next_generation(connection: sqlite3.Connection) -> int:
    """Count one more change of an object; the new generation."""
    (generation,) = connection.execute("UPDATE token SET generation = generation + 1 RETURNING generation").fetchone()
    return int(generation)
