"""The computers that may open sessions."""

import sqlite3
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class PairingRow:
    """`key` the computer's static key (32 octets); `paired_at` in seconds of the wall clock; `seal` binds all three."""

    key: bytes
    name: str
    paired_at: float
    seal: bytes = field(repr=False)


def read_pairings(connection: sqlite3.Connection) -> list[PairingRow]:
    """Every paired computer, the one that was paired first at the head."""
    rows = connection.execute("SELECT key, name, paired_at, seal FROM pairing ORDER BY paired_at, key")
    return [PairingRow(*row) for row in rows]


def write_pairing(connection: sqlite3.Connection, row: PairingRow) -> None:
    """Pair a computer, or pair it again; what belongs to its pairing stays."""
    connection.execute(
        "INSERT INTO pairing (key, name, paired_at, seal) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (key) DO UPDATE SET name = excluded.name, paired_at = excluded.paired_at, seal = excluded.seal",
        (row.key, row.name, row.paired_at, row.seal),
    )


def delete_pairing(connection: sqlite3.Connection, key: bytes) -> None:
    """Forget a computer and its bond, if it is paired."""
    connection.execute("DELETE FROM pairing WHERE key = ?", (key,))
