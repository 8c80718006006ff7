"""An office of a bench's own, as `fob-office run`, on SQLite or on PostgreSQL, with its processor times."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fob_office.components.shipping import add_shipped
from fob_office.office import Office, open_office
from fob_office.settings import load_settings
from fob_office.surroundings import SYSTEM
from fob_office.tls import CA_FILE
from process_meter import family_cpu_seconds
from support.office_device import HARDWARE
from support.office_life import Line
from support.office_process import fob_office, running_office
from support.postgresql import Cluster, running_cluster

# All questions come from one address here.
_NO_RATE: Final = "\n[limits]\nrate = 0\n"


@dataclass(frozen=True)
class Stage:
    """`office` is the same one from beside, for its operator. `database_pid`: 0 is SQLite, which has no process."""

    name: str
    office: Office
    url: str
    pid: int
    database_pid: int

    def line(self) -> Line:
        """A connection by HTTPS."""
        return Line(self.url, self.office.settings.state / CA_FILE)

    def cpu_seconds(self) -> tuple[float, float]:
        """So far, of the office's processes and of the database's."""
        return family_cpu_seconds(self.pid), family_cpu_seconds(self.database_pid) if self.database_pid else 0.0


@contextmanager
def sqlite_stage(workers: int) -> Iterator[Stage]:
    """On the disk that temporary files are on."""
    with _stage("SQLite", None, workers, 0) as stage:
        yield stage


@contextmanager
def postgresql_stage(cluster: Cluster, workers: int) -> Iterator[Stage]:
    """In a database of its own."""
    with cluster.database() as url, _stage("PostgreSQL", url, workers, cluster.pid) as stage:
        yield stage


@contextmanager
def durable_cluster() -> Iterator[Cluster]:
    """Debian's PostgreSQL, whose commits are on the disk."""
    with running_cluster(is_durable=True) as cluster:
        yield cluster


@contextmanager
def _stage(name: str, url: str | None, workers: int, database_pid: int) -> Iterator[Stage]:
    with tempfile.TemporaryDirectory(prefix="fob-bench-") as folder:
        state = Path(folder) / "office"
        fob_office(state, "init", *([] if url is None else ["--database", url]))
        with (state / "office.toml").open("a") as settings:
            settings.write(_NO_RATE)
        office = open_office(load_settings(state, {}), {}, SYSTEM)
        try:
            add_shipped(office, [HARDWARE], "operator")
            with running_office(state, "--workers", str(workers)) as running:
                yield Stage(name, office, running.url, running.process.pid, database_pid)
        finally:
            office.close()
