"""What every process of the data centre does: open its folder, answer, and end when it is told to."""

import asyncio
import ctypes
import os
import resource
import signal
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import structlog

from fob_office.centre.boxes.alone import alone_in
from fob_office.centre.boxes.box import Box, Factory, guarded
from fob_office.centre.boxes.duties import DutyEndedError
from fob_office.centre.boxes.ending import ANEW_SIGNAL, ANEW_STATUS, FAILED_STATUS, TAMPERED_STATUS
from fob_office.centre.boxes.errors import TamperedError
from fob_office.centre.boxes.folder import BoxFolder, open_folder
from fob_office.centre.boxes.identity import open_vault, read_identity, read_party
from fob_office.centre.boxes.kinds import FACTORIES
from fob_office.centre.bus.answering import serve
from fob_office.centre.bus.asking import Links
from fob_office.centre.bus.passes import Kind
from fob_office.errors import OperatorError
from fob_office.http.orphans import end_with_parent
from fob_office.logs import configure_logs
from fob_office.secrets.private_file import owner_alone
from fob_office.settings import LogSettings
from fob_office.surroundings import SYSTEM, Surroundings

log = structlog.get_logger(__name__)

# prctl(2)
_PR_SET_DUMPABLE: Final = 4

_LOGS: Final = LogSettings()


def run_box(
    path: Path,
    centre: Path,
    factories: Mapping[Kind, Factory] = FACTORIES,
    surroundings: Surroundings = SYSTEM,
    logs: LogSettings = _LOGS,
) -> int:
    """Until SIGTERM, SIGINT, ANEW_SIGNAL, or the end of the process that started it; `centre` has the directory.

    It says `ready ADDRESS` on standard output, or `tampered` and gives TAMPERED_STATUS; FAILED_STATUS when something
    ended that should go on, ANEW_STATUS when it was told to start anew. The folder's name is the box's, and no other
    process has it meanwhile. Raises OperatorError, DirectoryError, OSError.
    """
    configure_logs(logs)
    keep_inside()
    end_with_parent()
    try:
        with owner_alone(), alone_in(path), asyncio.Runner(loop_factory=loop_factory()) as runner:
            box = open_box(open_folder(path, path.name, surroundings.random), centre, surroundings)
            return runner.run(_run(box, _factory(box, factories)))
    except TamperedError as error:
        log.critical("a box does not start", box=path.name, why=error.why)
        print("tampered", flush=True)
        return TAMPERED_STATUS
    except DutyEndedError:
        return FAILED_STATUS


def open_box(folder: BoxFolder, centre: Path, surroundings: Surroundings) -> Box:
    """All that stands in the folder. Raises TamperedError, OperatorError."""
    me, directory = read_party(folder, centre, surroundings)
    identity = read_identity(folder)
    return Box(folder, identity, me, open_vault(folder, identity.kind), Links(me, directory), surroundings)


def keep_inside() -> None:
    """No core dump, and no other process of the same user reads this one's memory. Raises OSError."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), "prctl")


def _factory(box: Box, factories: Mapping[Kind, Factory]) -> Factory:
    """Raises OperatorError."""
    try:
        return factories[box.kind]
    except KeyError:
        why = f"a process of kind {box.kind.word} has no program"
        raise OperatorError(f"{box.name} does not start", why, "fob-office centre --help") from None


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop's where it is installed; None is asyncio's own."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


async def _run(box: Box, factory: Factory) -> int:
    """Its status."""
    ended = asyncio.Event()
    told: set[signal.Signals] = set()
    loop = asyncio.get_running_loop()

    def end(number: signal.Signals) -> None:
        told.add(number)
        ended.set()

    for number in (signal.SIGTERM, signal.SIGINT, ANEW_SIGNAL):
        loop.add_signal_handler(number, end, number)
    async with factory(box) as table:
        address = box.links.directory.named(box.name).address
        async with await serve(address, box.me, guarded(box.folder, table)):
            print(f"ready {address}", flush=True)
            await ended.wait()
    box.links.close()
    return ANEW_STATUS if told == {ANEW_SIGNAL} else 0
