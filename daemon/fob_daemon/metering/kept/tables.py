"""The tables of a meter's file, and how a file of before gets them."""

import sqlite3
from typing import Final

from fob_protocol.metering.transaction import unverified_transaction
from fob_protocol.office.errors import OfficeError

# Of what is in the file; another one is not touched.
VERSION: Final = 3

_TABLES: Final = f"""
BEGIN;
CREATE TABLE jobs (
    job INTEGER PRIMARY KEY AUTOINCREMENT, command TEXT NOT NULL, began INTEGER NOT NULL, total INTEGER NOT NULL,
    closed INTEGER NOT NULL DEFAULT 0, serial TEXT NOT NULL DEFAULT '', value_kind TEXT NOT NULL DEFAULT ''
);
CREATE TABLE pieces (
    job INTEGER NOT NULL, place INTEGER NOT NULL, piece TEXT NOT NULL, PRIMARY KEY (job, place)
) WITHOUT ROWID;
CREATE TABLE orders (
    number INTEGER PRIMARY KEY AUTOINCREMENT, id BLOB NOT NULL UNIQUE, kind INTEGER NOT NULL, standing INTEGER NOT NULL,
    job INTEGER, first INTEGER NOT NULL, count INTEGER NOT NULL, money TEXT NOT NULL,
    serial TEXT NOT NULL DEFAULT '', counter INTEGER, amount INTEGER NOT NULL DEFAULT 0,
    time INTEGER NOT NULL DEFAULT 0, record BLOB
);
CREATE INDEX orders_counter ON orders (serial, counter);
CREATE INDEX orders_job ON orders (job);
CREATE TABLE known (one INTEGER PRIMARY KEY CHECK (one = 1), state TEXT NOT NULL);
CREATE TABLE components (id TEXT PRIMARY KEY, version TEXT NOT NULL, content BLOB NOT NULL);
PRAGMA user_version = {VERSION};
COMMIT;
"""
# Batches of before do not say whose they are.
_JOBS_SAY_WHOSE: Final = """
ALTER TABLE jobs ADD COLUMN serial TEXT NOT NULL DEFAULT '';
ALTER TABLE jobs ADD COLUMN value_kind TEXT NOT NULL DEFAULT '';
"""
# Two meters count alike: what an order came to is found by both.
_ORDERS_SAY_WHOSE: Final = """
ALTER TABLE orders ADD COLUMN serial TEXT NOT NULL DEFAULT '';
UPDATE orders SET serial = serial_of(record) WHERE record IS NOT NULL;
DROP INDEX orders_counter;
CREATE INDEX orders_counter ON orders (serial, counter);
"""
# From which version on.
_UPGRADES: Final = {1: _JOBS_SAY_WHOSE + _ORDERS_SAY_WHOSE, 2: _ORDERS_SAY_WHOSE}


class StoreError(Exception):
    """The file is not what this program wrote; the text says which and why."""


def bring_up_to_date(database: sqlite3.Connection, name: str) -> None:
    """A new file, or one of before. Raises StoreError with its `name` for one of a later program."""
    [(version,)] = database.execute("PRAGMA user_version").fetchall()
    if version == 0:
        database.executescript(_TABLES)
    elif version in _UPGRADES:
        database.create_function("serial_of", 1, _serial_of, deterministic=True)
        database.executescript(f"BEGIN;{_UPGRADES[version]}PRAGMA user_version = {VERSION};COMMIT;")
    elif version != VERSION:
        raise StoreError(f"{name} has version {version}, and this program knows {VERSION}")


def _serial_of(record: bytes) -> str:
    """Empty for what cannot be read, which then nobody finds."""
    try:
        return unverified_transaction(record).serial
    except OfficeError:
        return ""
