"""Bonds: what lets a paired computer encrypt a radio connection with this device again."""

import sqlite3
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class BondRow:
    """`address` the computer's identity address as text; `pc` its pairing's static key; `sealed` the radio's keys."""

    address: str
    pc: bytes
    sealed: bytes = field(repr=False)


def read_bonds(connection: sqlite3.Connection) -> list[BondRow]:
    """Every bond, by address."""
    return [BondRow(*row) for row in connection.execute("SELECT address, pc, sealed FROM bond ORDER BY address")]


def read_bond(connection: sqlite3.Connection, address: str) -> BondRow | None:
    """The bond with an address, None when there is none."""
    row = connection.execute("SELECT address, pc, sealed FROM bond WHERE address = ?", (address,)).fetchone()
    return BondRow(*row) if row else None


def write_bond(connection: sqlite3.Connection, row: BondRow) -> None:
    """Keep a bond; an older one of the same computer or address goes.

    Raises sqlite3.IntegrityError when the computer is not paired. Unpairing it deletes the bond (see the schema).
    """
    connection.execute("DELETE FROM bond WHERE address = ? OR pc = ?", (row.address, row.pc))
    connection.execute("INSERT INTO bond (address, pc, sealed) VALUES (?, ?, ?)", (row.address, row.pc, row.sealed))
