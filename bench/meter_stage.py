"""A data centre of a bench's own: `fob-office centre init` and `run`, on either database, with its processor times."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fob_office.centre.boxes.folder import open_folder
from fob_office.centre.boxes.identity import read_party
from fob_office.centre.database.keeping import migrate_meters
from fob_office.centre.database.process import FILE
from fob_office.centre.places import OPERATOR, centre_folder
from fob_office.centre.supervising.status import read_status
from fob_office.office import open_office
from fob_office.servers.identity import certificate_of
from fob_office.servers.service import identity, newest_keys
from fob_office.settings import load_settings
from fob_office.surroundings import SYSTEM
from meter_fill import fill
from meter_mailers import Counter
from process_meter import family_cpu_seconds, own_cpu_seconds
from support.office_process import PROGRAM, fob_office
from support.postgresql import Cluster

# Seconds from `centre run` to all processes ready: the boxes read all rows of their stores.
_PATIENCE: Final = 300.0
_POLL: Final = 0.05

BARE: Final = 1_000


@dataclass(frozen=True)
class Centre:
    """`url`: of its database; `bare`: of another one of the same kind, with BARE meters, for bare transactions."""

    name: str
    folder: Path
    counter: Counter
    url: str
    bare: str
    database_pid: int

    def cpu_seconds(self) -> dict[str, float]:
        """So far, by kind of process; the database where it is one."""
        status = read_status(self.folder)
        assert status is not None
        kinds: dict[str, float] = {}
        for process in status.processes:
            if process.pid is not None:
                kinds[process.kind] = kinds.get(process.kind, 0.0) + own_cpu_seconds(process.pid)
        if self.database_pid:
            kinds["PostgreSQL"] = family_cpu_seconds(self.database_pid)
        return kinds


@contextmanager
def meter_centre(cluster: Cluster | None, meters: int) -> Iterator[Centre]:
    """Ready, with so many meters; 2 meter boxes, 2 function servers. On SQLite without a cluster."""
    with tempfile.TemporaryDirectory(prefix="fob-bench-") as folder, ExitStack() as stack:
        state, bare = Path(folder) / "office", f"sqlite:///{Path(folder) / 'bare.db'}"
        centre = centre_folder(state)
        url = f"sqlite:///{centre / 'database-1' / FILE}"
        options: list[str] = []
        if cluster is not None:
            url, bare = (stack.enter_context(cluster.database()) for _ in range(2))
            options = ["--database", url]
        fob_office(state, "init")
        fob_office(state, "centre", "init", *options)
        migrate_meters(bare)
        for each, count in ((url, meters), (bare, BARE)):
            fill(each, count, int(time.time()))
        with _running(state):
            name, pid = ("PostgreSQL", cluster.pid) if cluster else ("SQLite", 0)
            yield Centre(name, centre, _counter(state), url, bare, pid)


@contextmanager
def _running(state: Path) -> Iterator[None]:
    """All that is left at the end is killed."""
    log = state.parent / "centre.log"
    with log.open("wb") as output:
        command = [*PROGRAM, "centre", "run", "--state", str(state)]
        process = subprocess.Popen(command, stderr=output, start_new_session=True)
    try:
        end = time.monotonic() + _PATIENCE
        while (found := read_status(centre_folder(state))) is None or not (found.is_ready and found.pid == process.pid):
            if process.poll() is not None or time.monotonic() > end:
                sys.exit(f"the data centre does not start: {log.read_text()}")
            time.sleep(_POLL)
        yield
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _counter(state: Path) -> Counter:
    office = open_office(load_settings(state, {}), {}, SYSTEM)
    try:
        with office.database.read() as session:
            certificate = certificate_of(newest_keys(session, "metering"))
            validation = identity(session, office.sealer, "integrity").signing_key
    finally:
        office.close()
    folder = centre_folder(state)
    _, directory = read_party(open_folder(folder / OPERATOR, OPERATOR, os.urandom), folder, SYSTEM)
    return Counter(certificate, validation, directory.pass_of("authentication-1").sealing)
