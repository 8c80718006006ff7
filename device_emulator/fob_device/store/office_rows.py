"""What the device keeps for its back office: sealed items by name."""

import sqlite3
from typing import Final

# Items of the token's user: they go when the token is made anew.
USER_ITEMS: Final = "user/"


def read_office_item(connection: sqlite3.Connection, name: str) -> bytes | None:
    """A sealed item, None when there is none."""
    row = connection.execute("SELECT sealed FROM office WHERE name = ?", (name,)).fetchone()
    return bytes(row[0]) if row else None


def read_office_names(connection: sqlite3.Connection) -> list[str]:
    """Of all items, in order."""
    return [str(name) for (name,) in connection.execute("SELECT name FROM office ORDER BY name")]


def write_office_item(connection: sqlite3.Connection, name: str, sealed: bytes) -> None:
    """Set or replace."""
    connection.execute("INSERT OR REPLACE INTO office (name, sealed) VALUES (?, ?)", (name, sealed))


def delete_office_item(connection: sqlite3.Connection, name: str) -> None:
    """Forget an item, if there is one."""
    connection.execute("DELETE FROM office WHERE name = ?", (name,))


def delete_user_items(connection: sqlite3.Connection) -> None:
    """Forget what belongs to the token's user."""
    connection.execute("DELETE FROM office WHERE substr(name, 1, ?) = ?", (len(USER_ITEMS), USER_ITEMS))
