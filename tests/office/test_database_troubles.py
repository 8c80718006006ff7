"""A database that is missing, damaged, full or shut: three lines that help, and nothing made in its place."""

import shlex
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import make_url, text
from sqlalchemy.exc import SQLAlchemyError

from fob_office.cli.context import Cli
from fob_office.cli.main import error_for, run
from fob_office.database.engine import connect_file, create_file, open_engine
from fob_office.database.session import Database
from fob_office.database.troubles import RESTORE, of_system, why_and_command
from fob_office.surroundings import Surroundings
from support.office import NOW, OfficeScene
from support.postgresql import Cluster

COMMANDS = ("device list", "run --listen 127.0.0.1:0", "migrate", "token add anna", "backup ../copy")


class Shell:
    """Runs `fob-office` in this process, on a whole office; what it says is three lines."""

    def __init__(self, scene: OfficeScene, capsys: pytest.CaptureFixture[str]) -> None:
        scene.office.close()
        self.state = scene.office.settings.state
        self.database = self.state / "office.db"
        (self.state / "office.toml").touch()
        self._capsys = capsys

    def error(self, line: str) -> tuple[str, str, str]:
        words = [word.replace("../", f"{self.state.parent}/") for word in shlex.split(line)]
        told = [*words, "--state", str(self.state)]
        assert run(told, Cli({}, Surroundings(lambda: NOW, lambda size: bytes(size)))) == 1
        what, why, command = self._capsys.readouterr().err.splitlines()
        return what.removeprefix("error: "), why.removeprefix("why:   "), command.removeprefix("try:   ")

    def files(self) -> set[str]:
        return {path.name for path in self.state.parent.rglob("*")}


@pytest.fixture
def shell(sqlite_scene: OfficeScene, capsys: pytest.CaptureFixture[str]) -> Shell:
    return Shell(sqlite_scene, capsys)


@pytest.mark.parametrize("line", COMMANDS)
def test_a_missing_database_is_missed_and_not_made_anew(shell: Shell, line: str) -> None:
    shell.database.unlink()
    before = shell.files()
    what, why, command = shell.error(line)
    assert (what, command) == ("office.db is missing", RESTORE)
    assert str(shell.database) in why
    assert shell.files() == before


@pytest.mark.parametrize("line", COMMANDS[:3])
def test_an_emptied_one_is_not_filled_again(shell: Shell, line: str) -> None:
    shell.database.unlink()
    create_file(shell.database)
    assert shell.error(line)[2] == RESTORE
    with closing(connect_file(shell.database)) as connection:
        assert connection.execute("SELECT count(*) FROM sqlite_master").fetchall() == [(0,)]


@pytest.mark.parametrize("line", COMMANDS[:4])
def test_a_damaged_one_wants_a_backup(shell: Shell, line: str) -> None:
    shell.database.write_bytes(b"no database at all, " * 1000)
    _, why, command = shell.error(line)
    assert command == RESTORE
    assert "damaged" in why


@pytest.mark.parametrize("line", COMMANDS[:3])
def test_one_of_a_later_version_is_left_to_it(shell: Shell, line: str) -> None:
    with closing(connect_file(shell.database)) as connection, connection:
        connection.execute("INSERT INTO alembic_version VALUES ('9999')")
    assert shell.error(line)[1:] == ("its tables are newer than this program: 9999", "fob-office --version")


def test_the_file_is_its_owners_alone_whatever_it_was(shell: Shell) -> None:
    shell.database.chmod(0o644)
    told = ["device", "list", "--state", str(shell.state)]
    assert run(told, Cli({}, Surroundings(lambda: NOW, lambda size: bytes(size)))) == 0
    assert shell.database.stat().st_mode & 0o777 == 0o600


def test_a_full_disk_is_told_as_one(tmp_path: Path) -> None:
    create_file(tmp_path / "full.db")
    database = Database(open_engine(f"sqlite:///{tmp_path / 'full.db'}"))
    with database.write() as session:
        session.execute(text("PRAGMA max_page_count=1"))
        with pytest.raises(SQLAlchemyError) as raised:
            session.execute(text("CREATE TABLE a (b)"))
    database.close()
    error = error_for(raised.value)
    assert error.why == "the disk is full (database or disk is full)"
    assert error.command.startswith("df -h")
    assert "sqlalche.me" not in error.lines
    assert of_system(OSError(28, "No space left on device")) == ("No space left on device", error.command)


def test_a_database_that_cannot_be_written_is_told_as_one(tmp_path: Path) -> None:
    create_file(tmp_path / "shut.db")
    shut = f"file:{tmp_path / 'shut.db'}?mode=ro"
    with closing(sqlite3.connect(shut, uri=True)) as connection, pytest.raises(sqlite3.OperationalError) as raised:
        connection.execute("CREATE TABLE a (b)")
    why, command = why_and_command(raised.value)
    assert why == "the database cannot be written to (attempt to write a readonly database)"
    assert command.startswith("findmnt")


@pytest.mark.parametrize(
    ("change", "command"),
    [
        ({"database": "nothing-there"}, "mend `database` in office.toml, or make it: createdb NAME"),
        (
            {"username": "nobody-there"},
            "mend `database` in office.toml, and its password file (docs/office.md, Settings)",
        ),
        ({"port": 1}, "pg_isready    (is it running, and where `database` in office.toml says?)"),
    ],
)
def test_a_connection_that_does_not_come_about_is_told_with_what_helps(
    cluster: Cluster, change: dict[str, Any], command: str
) -> None:
    with cluster.database() as url:
        engine = open_engine(make_url(url).set(**change).render_as_string(hide_password=False))
        with pytest.raises(SQLAlchemyError) as caught, engine.connect():
            pass
        assert why_and_command(caught.value)[1] == command
