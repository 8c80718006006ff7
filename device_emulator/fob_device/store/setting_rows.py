"""What the device's person chose: per key, and for the whole phone."""

import sqlite3
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class KeySettingRow:
    """`sealed`: the setting of the key object `handle`, sealed to it."""

    handle: int
    sealed: bytes = field(repr=False)


def read_key_settings(connection: sqlite3.Connection) -> list[KeySettingRow]:
    """Every key's that is not as at first, by handle."""
    return [KeySettingRow(*row) for row in connection.execute("SELECT handle, sealed FROM key_setting ORDER BY handle")]


def read_key_setting(connection: sqlite3.Connection, handle: int) -> KeySettingRow | None:
    """A key's, None when it is as at first."""
    row = connection.execute("SELECT handle, sealed FROM key_setting WHERE handle = ?", (handle,)).fetchone()
    return KeySettingRow(*row) if row else None


def write_key_setting(connection: sqlite3.Connection, row: KeySettingRow) -> None:
    """Set or replace. Raises sqlite3.IntegrityError for a handle that no object ever had."""
    connection.execute("INSERT OR REPLACE INTO key_setting (handle, sealed) VALUES (?, ?)", (row.handle, row.sealed))


def read_phone_setting(connection: sqlite3.Connection, name: str) -> bytes | None:
    """A sealed setting of the phone, None when it is as at first."""
    row = connection.execute("SELECT sealed FROM phone_setting WHERE name = ?", (name,)).fetchone()
    return bytes(row[0]) if row else None


def write_phone_setting(connection: sqlite3.Connection, name: str, sealed: bytes) -> None:
    """Set or replace."""
    connection.execute("INSERT OR REPLACE INTO phone_setting (name, sealed) VALUES (?, ?)", (name, sealed))
