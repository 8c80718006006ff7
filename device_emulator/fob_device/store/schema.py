"""The tables of a token file."""

from typing import Final

# "Fob1" in the file's header (SQLite, "Database File Format", 1.3.20): tells a token file from any other database.
APPLICATION_ID: Final = 0x466F6231

# Raised whenever a table changes; a file of a version that no step leads from is refused, never guessed at.
SCHEMA_VERSION: Final = 7

COPIES: Final = """
    CREATE TABLE copies (
        program TEXT PRIMARY KEY,
        sealed BLOB NOT NULL
    ) STRICT, WITHOUT ROWID
    """

# What makes a file of the version before one of this version.
STEPS: Final = {7: (COPIES,)}
OLDEST_VERSION: Final = min(STEPS) - 1

# An object whose attributes are NULL is a tombstone: AUTOINCREMENT never gives its handle again, and its generation
# tells a computer that it is gone.
TABLES: Final = (
    """
    CREATE TABLE token (
        only_one INTEGER PRIMARY KEY CHECK (only_one = 1),
        serial TEXT NOT NULL,
        label TEXT NOT NULL,
        generation INTEGER NOT NULL,
        root_check BLOB NOT NULL
    ) STRICT
    """,
    """
    CREATE TABLE identity (
        only_one INTEGER PRIMARY KEY CHECK (only_one = 1),
        sealed BLOB NOT NULL
    ) STRICT
    """,
    """
    CREATE TABLE pairing (
        key BLOB PRIMARY KEY,
        name TEXT NOT NULL,
        paired_at REAL NOT NULL,
        seal BLOB NOT NULL
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE bond (
        address TEXT PRIMARY KEY,
        pc BLOB NOT NULL UNIQUE REFERENCES pairing (key) ON DELETE CASCADE,
        sealed BLOB NOT NULL
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE pin (
        user INTEGER PRIMARY KEY,
        salt BLOB NOT NULL,
        iterations INTEGER NOT NULL,
        memory_kib INTEGER NOT NULL,
        lanes INTEGER NOT NULL,
        wrapped_master BLOB NOT NULL,
        tries_left INTEGER NOT NULL CHECK (tries_left >= 0),
        seal BLOB NOT NULL
    ) STRICT
    """,
    """
    CREATE TABLE ticket (
        login INTEGER PRIMARY KEY AUTOINCREMENT,
        user INTEGER NOT NULL,
        created REAL NOT NULL,
        wrapped_master BLOB NOT NULL
    ) STRICT
    """,
    """
    CREATE TABLE object (
        handle INTEGER PRIMARY KEY AUTOINCREMENT,
        generation INTEGER NOT NULL,
        attributes BLOB,
        sealed BLOB
    ) STRICT
    """,
    """
    CREATE TABLE key_setting (
        handle INTEGER PRIMARY KEY REFERENCES object (handle),
        sealed BLOB NOT NULL
    ) STRICT
    """,
    """
    CREATE TABLE phone_setting (
        name TEXT PRIMARY KEY,
        sealed BLOB NOT NULL
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE history (
        sequence INTEGER PRIMARY KEY,
        record BLOB NOT NULL,
        signature BLOB NOT NULL,
        salt BLOB NOT NULL,
        details BLOB NOT NULL
    ) STRICT
    """,
    """
    CREATE TABLE history_end (
        only_one INTEGER PRIMARY KEY CHECK (only_one = 1),
        length INTEGER NOT NULL,
        hash BLOB NOT NULL,
        boots INTEGER NOT NULL,
        seal BLOB NOT NULL
    ) STRICT
    """,
    """
    CREATE TABLE key_use (
        handle INTEGER PRIMARY KEY,
        uses INTEGER NOT NULL
    ) STRICT
    """,
    """
    CREATE TABLE office (
        name TEXT PRIMARY KEY,
        sealed BLOB NOT NULL
    ) STRICT, WITHOUT ROWID
    """,
    COPIES,
    "CREATE UNIQUE INDEX object_by_generation ON object (generation)",
    "CREATE INDEX live_object ON object (handle) WHERE attributes IS NOT NULL",
)
