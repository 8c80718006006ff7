"""PIN records: the master key wrapped under each PIN, and the tries that are left."""

import sqlite3
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class PinRow:
    """How one user's PIN opens the token: Argon2id salt and cost, and the master key wrapped under the result.

    `seal` binds all the others.
    """

    user: int
    salt: bytes
    iterations: int
    memory_kib: int
    lanes: int
    wrapped_master: bytes = field(repr=False)
    tries_left: int
    seal: bytes = field(default=b"", repr=False)


def read_pin(connection: sqlite3.Connection, user: int) -> PinRow | None:
    """The record of `user`, None when the PIN was never set."""
    row = connection.execute(
        "SELECT user, salt, iterations, memory_kib, lanes, wrapped_master, tries_left, seal FROM pin WHERE user = ?",
        (user,),
    ).fetchone()
    return PinRow(*row) if row else None


def write_pin(connection: sqlite3.Connection, pin: PinRow) -> None:
    """Set or replace the record of `pin.user`."""
    connection.execute(
        "INSERT OR REPLACE INTO pin (user, salt, iterations, memory_kib, lanes, wrapped_master, tries_left, seal)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (pin.user, pin.salt, pin.iterations, pin.memory_kib, pin.lanes, pin.wrapped_master, pin.tries_left, pin.seal),
    )


def delete_pin(connection: sqlite3.Connection, user: int) -> None:
    """Forget the PIN of `user`."""
    connection.execute("DELETE FROM pin WHERE user = ?", (user,))
