"""A PostgreSQL of the tests' own: Debian's programs, an unprivileged cluster in a folder, reached by a Unix socket."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, LiteralString

import psycopg

from support.required import program

# Servers refuse to run as root; Debian's package makes this user.
USER = "postgres"
# Only the socket is listened at.
OPTIONS = "-c listen_addresses= -c max_connections=200 -c unix_socket_directories="
# Tests fill no pages worth keeping: nothing has to reach the disk.
FORGETFUL = "-c fsync=off -c full_page_writes=off "


# Empties the database that tests share; TRUNCATE would make every table's file anew. Rows go in any order.
CLEAR = """
DO $$ DECLARE name text; BEGIN
  SET LOCAL session_replication_role = replica;
  FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version' LOOP
    EXECUTE format('DELETE FROM %I', name);
  END LOOP;
  FOR name IN SELECT sequencename FROM pg_sequences WHERE schemaname = 'public' LOOP
    EXECUTE format('ALTER SEQUENCE %I RESTART', name);
  END LOOP;
END $$
"""
SHARED = "shared"


@dataclass
class Cluster:
    """A running server."""

    folder: Path
    options: str = FORGETFUL + OPTIONS
    _count: int = field(default=0, init=False)
    _has_shared: bool = field(default=False, init=False)

    def url(self, database: str) -> str:
        """As the office is told it."""
        return f"postgresql+psycopg://{USER}@/{database}?host={self.folder}"

    @contextmanager
    def database(self) -> Iterator[str]:
        """The URL of a new, empty database."""
        self._count += 1
        name = f"test{self._count}"
        self.run(f"CREATE DATABASE {name} TEMPLATE template0")
        try:
            yield self.url(name)
        finally:
            self.run(f"DROP DATABASE {name} WITH (FORCE)")

    def shared_database(self) -> str:
        """The URL of one that has tables once the first office was made in it, and no rows: ten times as fast."""
        if not self._has_shared:
            self.run(f"CREATE DATABASE {SHARED} TEMPLATE template0")
            self._has_shared = True
        else:
            self.run(CLEAR, SHARED)
        return self.url(SHARED)

    @property
    def pid(self) -> int:
        """Of the server's first process."""
        return int((self.folder / "data" / "postmaster.pid").read_text().split()[0])

    def start(self) -> None:
        """Until it answers; also after its first process was killed."""
        _control(self.folder, "-l", str(self.folder / "log"), "-o", f"{self.options}{self.folder}", "start")

    def run(self, statement: LiteralString, database: str = "postgres") -> list[tuple[Any, ...]]:
        """The rows, if there are any."""
        with psycopg.connect(
            host=str(self.folder), user=USER, dbname=database, autocommit=True, options="-c lock_timeout=20s"
        ) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def dump(self, database: str) -> str:
        """All of a database as text."""
        return _run([program("pg_dump"), "-h", str(self.folder), "-U", USER, database])


@contextmanager
def running_cluster(*, is_durable: bool = False) -> Iterator[Cluster]:
    """A server that is stopped at the end, and its folder removed. `is_durable`: a commit is on the disk."""
    folder = Path(tempfile.mkdtemp(prefix="fob-pg-"))
    if os.geteuid() == 0:
        shutil.chown(folder, USER)
    data = str(folder / "data")
    try:
        _run([program("initdb"), "-D", data, "-U", USER, "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"])
        cluster = Cluster(folder, OPTIONS if is_durable else FORGETFUL + OPTIONS)
        cluster.start()
        try:
            yield cluster
        finally:
            _control(folder, "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _control(folder: Path, *arguments: str) -> None:
    _run([program("pg_ctl"), "-D", str(folder / "data"), "-w", "-s", *arguments])


def _run(command: Sequence[str]) -> str:
    if os.geteuid() == 0:
        command = [program("runuser"), "-u", USER, "--", *command]
    # The server that pg_ctl leaves behind must not keep a pipe open.
    with tempfile.TemporaryFile() as output:
        done = subprocess.run(command, cwd="/", stdout=output, stderr=subprocess.STDOUT, timeout=60, check=False)
        output.seek(0)
        text = output.read().decode()
    assert done.returncode == 0, text
    return text
