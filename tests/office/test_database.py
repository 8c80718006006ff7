"""Tables are made by migrations alone, all or nothing; what is written is written whole, on both databases."""

import pkgutil
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from importlib import import_module
from pathlib import Path
from threading import Barrier
from typing import Any, NoReturn

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import func, select, text, update
from sqlalchemy.exc import IntegrityError

import fob_office
from fob_office.database import engine, migrating
from fob_office.database.base import Base
from fob_office.database.engine import create_file, open_engine, parse_url
from fob_office.database.migrating import MIGRATIONS, check_migrated, migrate
from fob_office.database.session import CANNOT_NOW, Database
from fob_office.errors import OperatorError, UsageError
from fob_office.events.service import record
from fob_office.events.tables import Event
from fob_office.servers.tables import Server
from support.office import OfficeScene


@pytest.fixture
def empty(empty_url: str) -> Iterator[Database]:
    database = Database(open_engine(empty_url))
    yield database
    database.close()


def tables(database: Database) -> set[str]:
    with database.read() as session:
        dialect = session.connection().dialect
        return set(dialect.get_table_names(session.connection()))


def test_migrations_make_exactly_the_tables_that_the_roles_declare(empty: Database) -> None:
    for module in pkgutil.walk_packages(fob_office.__path__, "fob_office."):
        if module.name.endswith(".tables"):
            import_module(module.name)
    ran = migrate(empty)
    assert ran[0] == "0001"
    assert tables(empty) == {*Base.metadata.tables, "alembic_version"}
    with empty.read() as session:
        context = MigrationContext.configure(session.connection(), opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


def test_migrating_again_does_nothing(empty: Database) -> None:
    ran = migrate(empty)
    assert set(ran) == {revision.revision for revision in ScriptDirectory(str(MIGRATIONS)).walk_revisions()}
    assert migrate(empty) == []
    check_migrated(empty)


def test_a_migration_that_fails_leaves_nothing(empty: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> NoReturn:
        raise RuntimeError("power cut")

    monkeypatch.setattr(migrating, "_between", fail)
    with pytest.raises(RuntimeError, match="power cut"):
        migrate(empty)
    assert tables(empty) == set()


def test_two_that_migrate_at_once_do_it_once(empty_url: str, empty: Database) -> None:
    start = Barrier(2)

    def run(_: int) -> list[str]:
        database = Database(open_engine(empty_url))
        start.wait(30)
        try:
            return migrate(database)
        finally:
            database.close()

    with ThreadPoolExecutor(2) as pool:
        ran = sorted(pool.map(run, range(2)))
    assert ran[0] == []
    assert ran[1][0] == "0001"
    check_migrated(empty)


def test_an_older_or_newer_database_is_named(empty: Database) -> None:
    with pytest.raises(OperatorError, match="it is empty"):
        check_migrated(empty)
    migrate(empty)
    with empty.write() as session:
        session.execute(text("DELETE FROM alembic_version"))
        session.execute(text("INSERT INTO alembic_version VALUES ('0001')"))
    with pytest.raises(OperatorError, match="older than this program") as caught:
        check_migrated(empty)
    assert caught.value.command == "fob-office migrate"
    with empty.write() as session:
        session.execute(text("INSERT INTO alembic_version VALUES ('9999')"))
    with pytest.raises(OperatorError, match="newer than this program: 9999"):
        check_migrated(empty)


def count(database: Database) -> int:
    with database.read() as session:
        return session.scalar(select(func.count()).select_from(Event)) or 0


def test_what_an_exception_interrupts_is_not_written(scene: OfficeScene) -> None:
    database = scene.office.database
    before = count(database)

    def interrupted() -> NoReturn:
        with database.write() as session:
            record(session, 1, "me", "half", "")
            session.flush()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        interrupted()
    assert count(database) == before


def test_a_reader_sees_one_state(scene: OfficeScene) -> None:
    database = scene.office.database
    with database.read() as session:
        before = session.scalar(select(func.count()).select_from(Event))
        with database.write() as other:
            record(other, 1, "me", "new", "")
        assert session.scalar(select(func.count()).select_from(Event)) == before
    assert count(database) == (before or 0) + 1


def test_what_is_written_while_reading_is_not_kept(scene: OfficeScene) -> None:
    """PostgreSQL says so at once, SQLite forgets it."""
    database = scene.office.database
    before = count(database)
    refused: tuple[type[BaseException], ...] = ()
    if database.engine.dialect.name == "postgresql":
        from sqlalchemy.exc import InternalError

        refused = (InternalError,)
    try:
        with database.read() as session:
            record(session, 1, "me", "new", "")
            session.flush()
    except refused:
        pass
    assert count(database) == before


def test_of_many_who_change_the_same_row_each_is_heard(scene: OfficeScene) -> None:
    database = scene.office.database

    def step(_: int) -> None:
        with database.write() as session:
            session.execute(update(Server).where(Server.name == "release").values(epoch=Server.epoch + 1))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(step, range(40)))
    with database.read() as session:
        assert session.scalar(select(Server.epoch).where(Server.name == "release")) == 41


def test_a_database_that_somebody_holds_is_not_waited_for_without_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "BUSY_TIME", 0.05)
    create_file(tmp_path / "busy.db")
    database = Database(open_engine(f"sqlite:///{tmp_path / 'busy.db'}"))
    migrate(database)
    with closing(sqlite3.connect(tmp_path / "busy.db", isolation_level=None)) as somebody:
        somebody.execute("BEGIN IMMEDIATE")
        with pytest.raises(CANNOT_NOW), database.write():
            pass
        # Who only reads waits for nobody.
        assert count(database) == 0
    with database.write() as session:
        record(session, 1, "me", "later", "")
    database.close()


def test_errors_of_the_database_hold_no_values(scene: OfficeScene) -> None:
    with pytest.raises(IntegrityError) as caught, scene.office.database.write() as session:
        session.add(Server(name="release", epoch=1, least_epoch=123456789))
    assert "123456789" not in str(caught.value).partition("DETAIL")[0]


@pytest.mark.parametrize(
    "wrong",
    [
        "hunter2", "mysql://fob:hunter2@db/fob", "sqlite://", "sqlite:///:memory:", "postgresql+asyncpg://u:hunter2@h/d",
        "sqlite+aiosqlite:///hunter2", "postgresql://fob:hunter2@host:port/fob",
    ],
)  # fmt: skip
def test_an_address_that_is_none_is_named_without_its_password(wrong: str) -> None:
    with pytest.raises(UsageError, match="the database is not known") as caught:
        parse_url(wrong)
    assert "hunter2" not in caught.value.lines


@pytest.mark.parametrize(
    ("given", "driver"), [("postgresql://fob@db/fob", "postgresql+psycopg"), ("sqlite:////tmp/x.db", "sqlite+pysqlite")]
)
def test_drivers_need_not_be_named(given: str, driver: str) -> None:
    assert parse_url(given).drivername == driver


def test_sqlite_is_safe_by_default(sqlite_scene: OfficeScene) -> None:
    with sqlite_scene.office.database.read() as session:
        pragmas: dict[str, Any] = {
            name: session.execute(text(f"PRAGMA {name}")).scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "secure_delete", "trusted_schema")
        }
    assert pragmas == {
        "journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "secure_delete": 1, "trusted_schema": 0,
    }  # fmt: skip
