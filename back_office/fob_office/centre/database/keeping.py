"""The meters' database, opened: what writes to it goes together, and so does what reads."""

import sqlite3
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, TypeAlias, TypeVar

from sqlalchemy import Connection, event
from sqlalchemy.exc import SQLAlchemyError

from fob_office.centre.bus.errors import BusRefusedError
from fob_office.centre.commands.database import Stored
from fob_office.centre.database.grouping import Group, Outcome, alone
from fob_office.centre.database.limits import READERS
from fob_office.centre.database.prepared import Prepared
from fob_office.centre.database.storing import store_all
from fob_office.database.engine import BUSY_TIME, SQLITE, create_file, open_engine, parse_url
from fob_office.database.migrating import OFFICE, Lineage, check_begun, check_migrated, migrate
from fob_office.database.session import Database
from fob_office.database.troubles import RESTORE, check_file, why_and_command
from fob_office.errors import OperatorError

ResultT = TypeVar("ResultT")

_MIGRATE: Final = "fob-office centre migrate"
# Meters that are gone are never made anew: their mailers would find no account, and the money be nobody's.
_RESTORE: Final = "put a backup back: fob-office centre restore BACKUP_FOLDER"
METERS: Final = Lineage(
    Path(__file__).with_name("migrations"),
    _MIGRATE,
    "it is empty: no meters were kept in it, or it was emptied",
    _RESTORE,
)
# What helps the office's own database, and what this one.
_INSTEAD: Final = {RESTORE: _RESTORE, OFFICE.command: _MIGRATE}

# Of each connection to PostgreSQL, whatever the server's own say: what was answered is on its disk, and one database
# server that hangs keeps no other from the log's head for long.
_SETTINGS: Final = (
    "SET synchronous_commit = on",
    f"SET lock_timeout = '{BUSY_TIME}s'",
    f"SET idle_in_transaction_session_timeout = '{BUSY_TIME}s'",
)

_Job: TypeAlias = Prepared | Callable[[Connection], Any]


class Keeper:
    """An open database of meters; `close` it."""

    def __init__(self, database: Database) -> None:
        is_sqlite = database.engine.dialect.name == SQLITE
        self.database = database
        self._writing = Group[_Job](database.write, _write)
        self._reading = Group[Callable[[Connection], Any]](database.read, _read, 1 if is_sqlite else READERS)

    async def store(self, prepared: Prepared) -> Stored:
        """Durable when it returns. Raises BusRefusedError."""
        stored: Stored = await self._writing.do(prepared)
        return stored

    async def write(self, work: Callable[[Connection], ResultT]) -> ResultT:
        """What it gives, once that is durable; it is undone alone when it raises. Raises that, BusRefusedError."""
        result: ResultT = await self._writing.do(work)
        return result

    async def read(self, work: Callable[[Connection], ResultT]) -> ResultT:
        """What it gives; it sees one state of the database. Raises what it raises, BusRefusedError."""
        result: ResultT = await self._reading.do(work)
        return result

    def close(self) -> None:
        """What waits is done first."""
        self._writing.close()
        self._reading.close()
        self.database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_keeper(url: str) -> Keeper:
    """Raises OperatorError: it is not there, or has tables of another version."""
    database = _open(url)
    try:
        _reach(url, database, partial(check_migrated, database, METERS))
    except OperatorError:
        database.close()
        raise
    return Keeper(database)


def upgrade_meters(url: str) -> list[str]:
    """Bring tables that there are up to this version. Raises OperatorError, also for a database without any."""
    database = _open(url)
    try:
        _reach(url, database, partial(check_begun, database, METERS))
        return _reach(url, database, partial(migrate, database, METERS))
    finally:
        database.close()


def migrate_meters(url: str) -> list[str]:
    """Make the tables, or bring them up to this version; a new file for SQLite. Raises OperatorError, OSError."""
    parsed = parse_url(url)
    if parsed.get_backend_name() == SQLITE:
        create_file(Path(parsed.database or ""))
    database = _open(url)
    try:
        return _reach(url, database, partial(migrate, database, METERS))
    finally:
        database.close()


def _open(url: str) -> Database:
    engine = open_engine(url)
    if engine.dialect.name != SQLITE:

        @event.listens_for(engine, "connect")
        def connected(connection: Any, _: object) -> None:
            for setting in _SETTINGS:
                connection.execute(setting)
            connection.commit()

    return Database(engine)


def _reach(url: str, database: Database, work: Callable[[], ResultT]) -> ResultT:
    """Raises OperatorError, with a database's own troubles in words."""
    try:
        check_file(url)
        return work()
    except OperatorError as error:
        raise OperatorError(error.what, error.why, _INSTEAD.get(error.command, error.command)) from None
    except (SQLAlchemyError, sqlite3.Error) as error:
        why, command = why_and_command(error)
        shown = parse_url(url).render_as_string(hide_password=True)
        raise OperatorError(f"no connection to {shown}", why, _INSTEAD.get(command, command)) from None


def _write(connection: Connection, jobs: Sequence[_Job]) -> Sequence[Outcome]:
    """All Stores together, and then the others, each on its own."""
    stores = [job for job in jobs if isinstance(job, Prepared)]
    stored = iter(store_all(connection, stores) if stores else ())
    return [next(stored) if isinstance(job, Prepared) else alone(connection, job, BusRefusedError) for job in jobs]


def _read(connection: Connection, jobs: Sequence[Callable[[Connection], Any]]) -> Sequence[Outcome]:
    return [_looked_up(connection, job) for job in jobs]


def _looked_up(connection: Connection, work: Callable[[Connection], Any]) -> Outcome:
    try:
        return work(connection)
    except BusRefusedError as refused:
        return refused
