"""A PostgreSQL of the tests' own: Debian's programs, an unprivileged cluster in a folder, reached by a Unix socket."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from support.required import program

# Servers refuse to run as root; Debian's package makes this user.
USER = "postgres"
# Tests fill no pages worth keeping: nothing has to reach the disk. Only the socket is listened at.
OPTIONS = "-c listen_addresses= -c fsync=off -c full_page_writes=off -c max_connections=200 -c unix_socket_directories="


@dataclass
class Cluster:
    """A running server."""

    folder: Path
    _count: int = field(default=0, init=False)

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

    def run(self, statement: str, database: str = "postgres") -> str:
        """What psql prints."""
        arguments = ["-h", str(self.folder), "-U", USER, "-d", database, "-v", "ON_ERROR_STOP=1", "-Atqc", statement]
        return _run([program("psql"), *arguments])

    def dump(self, database: str) -> str:
        """All of a database as text."""
        return _run([program("pg_dump"), "-h", str(self.folder), "-U", USER, database])


@contextmanager
def running_cluster() -> Iterator[Cluster]:
    """A server that is stopped at the end, and its folder removed."""
    folder = Path(tempfile.mkdtemp(prefix="fob-pg-"))
    if os.geteuid() == 0:
        shutil.chown(folder, USER)
    data = str(folder / "data")
    try:
        _run([program("initdb"), "-D", data, "-U", USER, "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"])
        log = str(folder / "log")
        _run([program("pg_ctl"), "-D", data, "-w", "-s", "-l", log, "-o", f"{OPTIONS}{folder}", "start"])
        try:
            yield Cluster(folder)
        finally:
            _run([program("pg_ctl"), "-D", data, "-w", "-s", "-m", "immediate", "stop"])
    finally:
        shutil.rmtree(folder, ignore_errors=True)


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
