"""Connections to either database."""

import os
import sqlite3
import time
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from fob_office.errors import UsageError
from fob_office.secrets.private_file import OWNER_ONLY

SQLITE: Final = "sqlite"
POSTGRESQL: Final = "postgresql"
_DRIVERS: Final = {SQLITE: "pysqlite", POSTGRESQL: "psycopg"}
KNOWN: Final = "sqlite:////path/of/office.db or postgresql+psycopg://user@host/name"

# Seconds that one worker waits for another to finish writing, or for a connection, before a device is told "later".
BUSY_TIME: Final = 10
_LOOK_AGAIN: Final = 0.01
_LOOK_SOON: Final = 0.001
# One for each question that a worker answers at a time: more would only wait for each other in the database.
CONNECTIONS: Final = 16

# FULL: a commit is on the disk before it returns. WAL: who reads waits for nobody.
# secure_delete: an erased key is overwritten, not only unlinked.
_WAL: Final = "PRAGMA journal_mode=WAL"
_PRAGMAS: Final = (
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
    "PRAGMA secure_delete=ON",
    "PRAGMA trusted_schema=OFF",
)

_BEGIN_WRITING: Final = "BEGIN IMMEDIATE"
# Without what SQLite adds to a code.
PRIMARY_CODE: Final = 0xFF

# Which transactions write: SQLite takes its one lock for them at their beginning, so none has to be given up midway.
WRITES: Final = "fob_writes"


def parse_url(url: str) -> URL:
    """The address of a database that the office can use. Raises UsageError, without the password."""
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise UsageError("the database is not known", "that is no database URL", KNOWN) from None
    driver = _DRIVERS.get(parsed.get_backend_name())
    if driver is None or parsed.drivername.partition("+")[2] not in ("", driver):
        raise UsageError("the database is not known", f"'{parsed.drivername}' is not supported", KNOWN)
    if driver == "pysqlite" and parsed.database in (None, "", ":memory:"):
        raise UsageError("the database is not known", "SQLite needs a file that all workers share", KNOWN)
    return parsed.set(drivername=f"{parsed.get_backend_name()}+{driver}")


def open_engine(url: str) -> Engine:
    """Connects when it is first used. Raises UsageError."""
    parsed = parse_url(url)
    try:
        # The texts of errors hold no parameters: some are what devices sent.
        if parsed.get_backend_name() == SQLITE:
            engine = create_engine(
                parsed, hide_parameters=True, pool_size=CONNECTIONS, max_overflow=0, pool_timeout=BUSY_TIME,
                creator=lambda: connect_file(Path(parsed.database or "")),
            )  # fmt: skip
            _set_up_sqlite(engine)
            return engine
        return create_engine(
            parsed, hide_parameters=True, pool_size=CONNECTIONS, max_overflow=0, pool_timeout=BUSY_TIME,
            pool_pre_ping=True, connect_args={"connect_timeout": BUSY_TIME, "application_name": "fob-office"},
        )  # fmt: skip
    except NoSuchModuleError as error:
        raise UsageError("the database is not known", str(error), KNOWN) from None


def connect_file(path: Path) -> sqlite3.Connection:
    """To a database that is there: one that was deleted is missed, and not begun anew. Raises sqlite3.Error."""
    uri = f"{path.absolute().as_uri()}?mode=rw"
    return sqlite3.connect(uri, uri=True, timeout=BUSY_TIME, check_same_thread=False)


def create_file(path: Path) -> None:
    """An empty database of SQLite that is its owner's alone; what lies beside it later gets the same mode."""
    os.close(os.open(path, os.O_CREAT | os.O_WRONLY, OWNER_ONLY))


def _set_up_sqlite(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def connected(connection: Any, _: object) -> None:
        # Transactions are begun here below, and nowhere else.
        connection.isolation_level = None
        _use_wal(connection)
        for pragma in _PRAGMAS:
            connection.execute(pragma).fetchall()

    @event.listens_for(engine, "begin")
    def begins(connection: Connection) -> None:
        if connection.get_execution_options().get(WRITES, False):
            _begin_writing(connection)
        else:
            connection.exec_driver_sql("BEGIN")


def _begin_writing(connection: Connection) -> None:
    """SQLite's own waiting looks ten times a second, and a worker that is busy leaves no such pause to another one.

    Raises OperationalError after BUSY_TIME.
    """
    own: Any = connection.connection.driver_connection
    end = time.monotonic() + BUSY_TIME
    own.execute("PRAGMA busy_timeout=0").fetchall()
    try:
        while time.monotonic() < end:
            try:
                own.execute(_BEGIN_WRITING)
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & PRIMARY_CODE != sqlite3.SQLITE_BUSY:
                    break
                time.sleep(_LOOK_SOON)
            else:
                return
    finally:
        own.execute(f"PRAGMA busy_timeout={BUSY_TIME * 1000}").fetchall()
    # Once more for SQLAlchemy's own error.
    connection.exec_driver_sql(_BEGIN_WRITING)


def _use_wal(connection: sqlite3.Connection) -> None:
    """The first of several that open a new file changes it; SQLite lets the others wait for anything but that."""
    end = time.monotonic() + BUSY_TIME
    while True:
        try:
            connection.execute(_WAL).fetchall()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & PRIMARY_CODE != sqlite3.SQLITE_BUSY or time.monotonic() > end:
                raise
            time.sleep(_LOOK_AGAIN)
        else:
            return
