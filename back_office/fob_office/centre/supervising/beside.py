"""The data centre of an office runs beside it: its supervisor is a process of its own, started again when it ends."""

import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.context import SpawnProcess
from pathlib import Path
from threading import Event, Thread
from time import monotonic
from typing import Final

import structlog

from fob_office.centre.supervising.child import prepare
from fob_office.centre.supervising.limits import STOP_TIME
from fob_office.centre.supervising.pausing import next_pause
from fob_office.errors import OperatorError
from fob_office.settings import LogSettings

log = structlog.get_logger(__name__)

_CONTEXT: Final = multiprocessing.get_context("spawn")
# Stages that are stopped one after another, and a bit.
_STOP_TIME: Final = 6 * STOP_TIME
_PAUSE: Final = 1.0


@contextmanager
def centre_beside(centre: Path, logs: LogSettings) -> Iterator[None]:
    """While the office runs."""
    keeper = _Keeper(centre, logs)
    try:
        yield
    finally:
        keeper.stop()


class _Keeper:
    """A thread that waits for the end of the supervisor."""

    def __init__(self, centre: Path, logs: LogSettings) -> None:
        self._arguments = (centre, logs)
        self._is_stopping = Event()
        self._process = self._begin()
        self._thread = Thread(target=self._keep, daemon=True, name="centre")
        self._thread.start()

    def stop(self) -> None:
        """Ends with all its processes; killed where it does not."""
        self._is_stopping.set()
        self._process.terminate()
        self._thread.join()

    def _begin(self) -> SpawnProcess:
        process = _CONTEXT.Process(target=supervise, args=self._arguments, name="centre")
        process.start()
        return process

    def _keep(self) -> None:
        pause, began = 0.0, monotonic()
        while not self._is_stopping.is_set():
            self._process.join(_PAUSE)
            if self._process.is_alive():
                continue
            pause = next_pause(pause, monotonic() - began, _PAUSE)
            log.error("the data centre's supervisor ended", status=self._process.exitcode, pause=pause)
            if self._is_stopping.wait(pause):
                return
            self._process, began = self._begin(), monotonic()
        self._end()

    def _end(self) -> None:
        # Perhaps it was begun just now.
        self._process.terminate()
        self._process.join(_STOP_TIME)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()


def supervise(centre: Path, logs: LogSettings) -> None:
    """The process."""
    # While it loads what it needs, so does the server that processes are forked from.
    prepare()
    from fob_office.centre.supervising.supervisor import run_centre
    from fob_office.http.orphans import end_with_parent
    from fob_office.logs import configure_logs
    from fob_office.surroundings import SYSTEM

    configure_logs(logs)
    end_with_parent()
    try:
        run_centre(centre, SYSTEM, logs, lambda: log.info("the data centre is ready"))
    except OperatorError as error:
        log.error("the data centre does not run", why=str(error))
        raise SystemExit(error.exit_code) from None
