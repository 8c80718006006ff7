"""Rows of a box's store: each is sealed to its place, and all of them together are known again.

The sum is MSet-Add-Hash (Clarke, Devadas, van Dijk, Gassend, Suh: Incremental Multiset Hash Functions and Their
Application to Memory Integrity Checking, ASIACRYPT 2003) with HMAC-SHA256, kept sealed: a row that was deleted, or put
back as it was before, is found when the store is opened.
"""

import hmac
import sqlite3
from collections.abc import Iterable, Iterator
from typing import Annotated, Final, NamedTuple

from msgspec import Meta

from fob_office.centre.boxes.errors import TamperedError
from fob_office.centre.boxes.folder import BoxFolder, Place
from fob_protocol.cose.cbor import encode
from fob_protocol.office.errors import OfficeError
from fob_protocol.office.message import Count, Message, read

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS rows (name TEXT NOT NULL, key BLOB NOT NULL, sealed BLOB NOT NULL, PRIMARY KEY (name, key))
STRICT;
CREATE TABLE IF NOT EXISTS sums (id INTEGER PRIMARY KEY CHECK (id = 1), sealed BLOB NOT NULL) STRICT;
"""
_SUM_SIZE: Final = 32
_MODULUS: Final = 1 << 8 * _SUM_SIZE


class Row(NamedTuple):
    """What stands under a key of a table."""

    table: str
    key: bytes
    octets: bytes


class _Sum(Message, tag=1, frozen=True):
    """Of all rows there are."""

    count: Count
    total: Annotated[bytes, Meta(min_length=_SUM_SIZE, max_length=_SUM_SIZE)]


class Rows:
    """All rows of one file, through one connection of SQLite."""

    def __init__(self, folder: BoxFolder, file: str, connection: sqlite3.Connection) -> None:
        self._folder = folder
        self._file = file
        self._place: Place = folder.place(file)
        self._sums: Place = folder.place(f"{file} sum")
        self._sum_key = folder.key_of(f"{file} sum key")
        self._connection = connection
        self._count = 0
        self._total = 0

    def make(self) -> None:
        """An empty file. Raises sqlite3.Error."""
        self._connection.executescript(_SCHEMA)
        self._write_sum()

    def check(self) -> None:
        """Read every row once. Raises TamperedError, having zeroised; sqlite3.Error."""
        found = self._connection.execute("SELECT sealed FROM sums").fetchone()
        try:
            kept = read(_Sum, self._sums.open([], found[0] if found else b""))
        except OfficeError:
            raise self._tampered("its sum is none") from None
        for name, key, sealed in self._connection.execute("SELECT name, key, sealed FROM rows"):
            self._count += 1
            self._total += self._hash(name, key, sealed)
        self._total %= _MODULUS
        if (self._count, self._total) != (kept.count, int.from_bytes(kept.total)):
            raise self._tampered(f"rows were deleted, added, or put back as they were: {self._count} of {kept.count}")

    def put(self, rows: Iterable[Row]) -> None:
        """In one transaction, which is on the disk when this returns. Raises sqlite3.Error, TamperedError."""
        before = self._count, self._total
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            for row in rows:
                self._put(row)
            self._write_sum()
            self._connection.execute("COMMIT")
        except BaseException:
            self._count, self._total = before
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise

    def get(self, table: str, key: bytes) -> bytes | None:
        """Raises TamperedError, having zeroised; sqlite3.Error."""
        sealed = self._sealed(table, key)
        return None if sealed is None else self._place.open([table, key], sealed)

    def after(self, table: str, key: bytes, most: int) -> Iterator[Row]:
        """At most so many rows of a table, in order, with greater keys. Raises as `get` does."""
        query = "SELECT key, sealed FROM rows WHERE name = ? AND key > ? ORDER BY key LIMIT ?"
        for found, sealed in self._connection.execute(query, (table, key, most)).fetchall():
            yield Row(table, found, self._place.open([table, found], sealed))

    def _put(self, row: Row) -> None:
        sealed = self._place.seal([row.table, row.key], row.octets)
        before = self._sealed(row.table, row.key)
        if before is None:
            self._count += 1
        else:
            self._total -= self._hash(row.table, row.key, before)
        self._total = (self._total + self._hash(row.table, row.key, sealed)) % _MODULUS
        self._connection.execute("INSERT OR REPLACE INTO rows VALUES (?, ?, ?)", (row.table, row.key, sealed))

    def _write_sum(self) -> None:
        octets = _Sum(self._count, self._total.to_bytes(_SUM_SIZE)).octets()
        self._connection.execute("INSERT OR REPLACE INTO sums VALUES (1, ?)", (self._sums.seal([], octets),))

    def _sealed(self, table: str, key: bytes) -> bytes | None:
        query = "SELECT sealed FROM rows WHERE name = ? AND key = ?"
        found: tuple[bytes] | None = self._connection.execute(query, (table, key)).fetchone()
        return None if found is None else found[0]

    def _hash(self, table: str, key: bytes, sealed: bytes) -> int:
        return int.from_bytes(hmac.digest(self._sum_key, encode([table, key]) + sealed, "sha256"))

    def _tampered(self, why: str) -> TamperedError:
        self._folder.zeroise(f"{self._file}: {why}")
        return TamperedError(self._folder.name)
