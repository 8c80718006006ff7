"""One process of the data centre, as it begins: forked from a server that has the programs loaded, and no key."""

import ctypes
import multiprocessing
import os
import sys
from errno import ECONNRESET
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from multiprocessing.forkserver import ensure_running
from pathlib import Path
from typing import Final

import msgspec

from fob_office.errors import OperatorError
from fob_office.settings import LogSettings

_CONTEXT: Final = multiprocessing.get_context("forkserver")
# Loaded once for all processes: they begin in milliseconds, and share what they do not write to.
_PRELOADED: Final = ["fob_office.centre.supervising.preloaded"]
# prctl(2)
_PR_SET_NAME: Final = 15


class Start(msgspec.Struct, frozen=True):
    """What a process is told: its folder, the data centre's, the meters' database where it needs one, its log."""

    folder: Path
    centre: Path
    database: str | None
    log: LogSettings

    def __repr__(self) -> str:
        return f"Start({self.folder.name!r})"


def prepare() -> None:
    """Before the first `begin`; it loads while others do something else."""
    _CONTEXT.set_forkserver_preload(_PRELOADED)
    ensure_running()


def begin(start: Start) -> tuple[ForkServerProcess, Connection]:
    """A process, and where it says `ready ADDRESS` or `tampered`. Raises OSError."""
    ours, its = _CONTEXT.Pipe(duplex=False)
    process = _CONTEXT.Process(target=_run, args=(start, its), name=start.folder.name)
    try:
        process.start()
    except EOFError:
        # It was killed before it said which process it had forked; the next `begin` starts another one.
        raise ConnectionResetError(ECONNRESET, "the fork server ended") from None
    finally:
        its.close()
    return process, ours


def _run(start: Start, told: Connection) -> None:
    # In the new process only: what needs no database loads it all the same, once, in the server.
    from fob_office.centre.boxes.process import run_box
    from fob_office.centre.database.process import URL_VARIABLE

    os.dup2(told.fileno(), sys.stdout.fileno())
    told.close()
    # As ps(1) and top(1) show it.
    ctypes.CDLL(None).prctl(_PR_SET_NAME, start.folder.name[:15].encode(), 0, 0, 0)
    if start.database is not None:
        os.environ[URL_VARIABLE] = start.database
    try:
        sys.exit(run_box(start.folder, start.centre, logs=start.log))
    except OperatorError as error:
        print(error.lines, file=sys.stderr, flush=True)
        sys.exit(error.exit_code)
