"""The SQLite file: how it is made, opened and changed."""

import contextlib
import errno
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, TypeVar

from fob_device.store.errors import TokenFileError, TokenFileInUseError
from fob_device.store.schema import APPLICATION_ID, OLDEST_VERSION, SCHEMA_VERSION, STEPS, TABLES
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.errors import CkrError

T = TypeVar("T")

# FULL: a commit is on the disk before it returns. EXCLUSIVE: a second device on the same file is refused.
# secure_delete: a destroyed key is overwritten, not only unlinked.
PRAGMAS: Final = (
    "PRAGMA locking_mode=EXCLUSIVE",
    "PRAGMA journal_mode=TRUNCATE",
    "PRAGMA synchronous=FULL",
    "PRAGMA secure_delete=ON",
    "PRAGMA trusted_schema=OFF",
    "PRAGMA foreign_keys=ON",
)


class Database:
    """One connection, shared by all threads under one lock that is held only while SQLite works."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._lock = threading.RLock()

    @classmethod
    def create(cls, path: Path, fill: Callable[[sqlite3.Connection], None]) -> None:
        """Make a file at `path`: all of it or nothing; `fill` writes the first rows. Raises OSError."""
        if path.exists():
            raise FileExistsError(errno.EEXIST, "exists already", str(path))
        unfinished = path.with_name(path.name + ".new")
        with _removing(unfinished, unfinished.with_name(unfinished.name + "-journal")):
            os.close(os.open(unfinished, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
            try:
                _fill(unfinished, fill)
            except sqlite3.Error as error:
                raise OSError(errno.EIO, str(error), str(path)) from None
            unfinished.rename(path)
        _sync_folder(path.parent)

    @classmethod
    def open(cls, path: Path) -> "Database":
        """Open a file that `create` made. Raises TokenFileError."""
        if not path.is_file():
            raise TokenFileError(f"no token file at {path}")
        connection: sqlite3.Connection | None = None
        try:
            connection = _connect(path)
            _check_identity(connection, path)
            # The lock is taken now and kept (locking_mode above).
            connection.execute("BEGIN EXCLUSIVE")
            connection.execute("COMMIT")
            _check_pages(connection, path)
            _bring_up_to_date(connection)
            _check_schema(connection, path)
        except (sqlite3.Error, TokenFileError) as error:
            if connection is not None:
                connection.close()
            raise _as_file_error(error, path) from None
        return cls(connection)

    @contextlib.contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing, also across a power cut; inside another transaction it is part of that one.

        Raises CkrError DEVICE_MEMORY for a full disk, DEVICE_ERROR for any other failure of the file.
        """
        with self._lock, _as_device_error():
            if self._connection.in_transaction:
                yield self._connection
                return
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def read(self, query: Callable[[sqlite3.Connection], T]) -> T:
        """The result of `query`, which sees one consistent state. Raises CkrError DEVICE_ERROR."""
        with self._lock, _as_device_error():
            return query(self._connection)

    def close(self) -> None:
        """Close the file and give up its lock."""
        with self._lock:
            self._connection.close()


def _connect(path: Path) -> sqlite3.Connection:
    # `isolation_level=None`: transactions are begun and ended here, by name, and nowhere else.
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=0)
    try:
        for pragma in PRAGMAS:
            connection.execute(pragma).fetchall()
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _fill(path: Path, fill: Callable[[sqlite3.Connection], None]) -> None:
    connection = _connect(path)
    try:
        connection.execute("BEGIN IMMEDIATE")
        for statement in TABLES:
            connection.execute(statement)
        fill(connection)
        connection.execute(f"PRAGMA application_id={APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version={SCHEMA_VERSION}")
        connection.execute("COMMIT")
    finally:
        connection.close()


@contextlib.contextmanager
def _removing(*paths: Path) -> Iterator[None]:
    """Removes what lies at `paths` before and after: left by an attempt that was cut short, or by this one."""
    for path in paths:
        path.unlink(missing_ok=True)
    try:
        yield
    finally:
        for path in paths:
            path.unlink(missing_ok=True)


def _check_identity(connection: sqlite3.Connection, path: Path) -> None:
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    if application != APPLICATION_ID:
        raise TokenFileError(f"{path} is not a token file")
    version = _version(connection)
    if not OLDEST_VERSION <= version <= SCHEMA_VERSION:
        raise TokenFileError(f"{path} has schema version {version}; this program reads version {SCHEMA_VERSION}")


def _version(connection: sqlite3.Connection) -> int:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    return int(version)


def _bring_up_to_date(connection: sqlite3.Connection) -> None:
    """All steps in one transaction: a cut leaves the old version or the new one."""
    missing = [version for version in sorted(STEPS) if version > _version(connection)]
    if not missing:
        return
    connection.execute("BEGIN IMMEDIATE")
    for version in missing:
        for statement in STEPS[version]:
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version={version}")
    connection.execute("COMMIT")


def _check_pages(connection: sqlite3.Connection, path: Path) -> None:
    """A file that was cut short or written over is found now, not by a signature in a month."""
    (pages,), (page_size,) = (connection.execute(f"PRAGMA {name}").fetchone() for name in ("page_count", "page_size"))
    if path.stat().st_size < pages * page_size:
        raise TokenFileError(f"{path} was cut short")
    (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if verdict != "ok":
        raise TokenFileError(f"{path} is damaged: {verdict}".replace("\n", " "))


def _check_schema(connection: sqlite3.Connection, path: Path) -> None:
    """The tables that this program makes, and no trigger or view that somebody added."""
    rows = connection.execute("SELECT sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\'").fetchall()
    if {sql.strip() for (sql,) in rows} != {statement.strip() for statement in TABLES}:
        raise TokenFileError(f"{path} is damaged: its tables are not those of a phone")


def _as_file_error(error: Exception, path: Path) -> TokenFileError:
    if isinstance(error, TokenFileError):
        return error
    if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_BUSY:
        return TokenFileInUseError(f"{path} is in use by another process")
    return TokenFileError(f"{path} cannot be read: {error}")


@contextlib.contextmanager
def _as_device_error() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        full = getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
        raise CkrError(Ckr.DEVICE_MEMORY if full else Ckr.DEVICE_ERROR, f"token file: {error}") from None


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
