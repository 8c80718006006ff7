"""One meter's file of SQLite, 0600: opened when it is first needed, read and changed by several threads in turn.

Every change is on the disk when it returns; a power cut at any moment leaves the state before or after.
"""

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fob_daemon.metering.kept.tables import bring_up_to_date
from fob_daemon.permissions import require_secret


class StoreFile:
    """Methods raise OSError, sqlite3.Error, StoreError, PermissionsError."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._database: sqlite3.Connection | None = None

    @property
    def exists(self) -> bool:
        """Whether anything was ever kept."""
        if self._database is not None:
            return True
        try:
            # What a full disk left is empty.
            return self.path.stat().st_size > 0
        except FileNotFoundError:
            return False

    def close(self) -> None:
        """Nothing more is asked."""
        with self._lock:
            database, self._database = self._database, None
            if database is not None:
                database.close()

    def row(self, statement: str, *values: object) -> Any:
        """The first one; None for none."""
        rows = self.rows(statement, *values)
        return rows[0] if rows else None

    def rows(self, statement: str, *values: object) -> list[Any]:
        """All of them. To look needs no file, and makes none."""
        if not self.exists:
            return []
        with self._lock:
            return self._opened().execute(statement, values).fetchall()

    @contextmanager
    def changing(self) -> Iterator[sqlite3.Connection]:
        """A transaction: all that is done in it, or nothing."""
        with self._lock:
            database = self._opened()
            database.execute("BEGIN IMMEDIATE")
            try:
                yield database
                database.execute("COMMIT")
            except BaseException:
                # On a full disk SQLite has taken it back already, and would say that instead of why.
                if database.in_transaction:
                    database.execute("ROLLBACK")
                raise

    def _opened(self) -> sqlite3.Connection:
        if self._database is None:
            self._database = _open(self.path)
        return self._database


def _open(path: Path) -> sqlite3.Connection:
    """For this user alone, before anything is in it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        require_secret(path, os.fstat(descriptor))
    finally:
        os.close(descriptor)
    database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    try:
        # A journal that is gone stays gone after a power cut.
        database.execute("PRAGMA synchronous = EXTRA")
        database.execute("PRAGMA secure_delete = ON")
        bring_up_to_date(database, str(path))
    except BaseException:
        database.close()
        raise
    return database
