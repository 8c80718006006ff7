"""A process of this machine: started, started again when it ends, and stopped in the end."""

import asyncio
import os
import signal
from collections.abc import Callable
from contextlib import suppress
from enum import StrEnum
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess

import structlog

from fob_office.centre.boxes.ending import TAMPERED_STATUS, is_anew
from fob_office.centre.supervising import status
from fob_office.centre.supervising.child import Start, begin
from fob_office.centre.supervising.limits import STOP_TIME
from fob_office.centre.supervising.pausing import next_pause

log = structlog.get_logger(__name__)

_LINE_LIMIT = 1024


class State(StrEnum):
    """Of a process, as `centre status` shows it."""

    STARTING = "starting"
    READY = "ready"
    # It ended, and is started again in a while.
    ENDED = "ended"
    TAMPERED = status.TAMPERED
    PUT_BACK = status.PUT_BACK
    STOPPED = "stopped"
    # On another machine.
    ELSEWHERE = "elsewhere"


class LocalProcess:
    """Runs from `start` to `stop`."""

    def __init__(self, start: Start, changed: Callable[[], None]) -> None:
        self.name = start.folder.name
        self.state = State.STARTING
        self.pid: int | None = None
        # After an end that nobody had told it.
        self.restarts = 0
        self._start = start
        self._changed = changed
        self._is_stopping = asyncio.Event()
        self._handle: int | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """From now on it runs."""
        self._task = asyncio.create_task(self._keep_running(), name=self.name)

    async def stop(self) -> None:
        """SIGTERM, and after STOP_TIME SIGKILL."""
        self._is_stopping.set()
        self._signal(signal.SIGTERM)
        if self._task is None:
            return
        _, pending = await asyncio.wait((self._task,), timeout=STOP_TIME)
        if pending:
            log.warning("a process did not end in time", name=self.name)
            self._signal(signal.SIGKILL)
        await asyncio.gather(self._task, return_exceptions=True)

    async def _keep_running(self) -> None:
        loop = asyncio.get_running_loop()
        pause = 0.0
        while not self._is_stopping.is_set():
            began = loop.time()
            ended = await self._run()
            if ended == TAMPERED_STATUS:
                self._become(State.TAMPERED)
                return
            if self._is_stopping.is_set():
                break
            if is_anew(ended):
                log.info("a process starts anew, as it was told to", name=self.name)
                continue
            pause = next_pause(pause, loop.time() - began)
            log.warning("a process ended", name=self.name, status=ended, pause=pause)
            self.restarts += 1
            self._become(State.ENDED)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._is_stopping.wait(), pause)
        self._become(State.STOPPED)

    async def _run(self) -> int | None:
        """Once, from its start to its end; its status."""
        self._become(State.STARTING)
        try:
            process, told = await asyncio.to_thread(begin, self._start)
        except OSError as error:
            log.error("a process does not start", name=self.name, why=error.strerror)
            return None
        self._handle, self.pid = os.pidfd_open(process.pid or 0), process.pid
        try:
            if self._is_stopping.is_set():
                self._signal(signal.SIGTERM)
            reading = asyncio.create_task(self._read(told))
            await _ended(self._handle)
            reading.cancel()
            return await asyncio.to_thread(_status, process)
        finally:
            # Also where the process that forked it was killed, and nobody told of its end.
            self._signal(signal.SIGKILL)
            os.close(self._handle)
            self._handle, self.pid = None, None

    async def _read(self, told: Connection) -> None:
        """`ready ADDRESS`, once it answers."""
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader(limit=_LINE_LIMIT)
        pipe = os.fdopen(os.dup(told.fileno()), "rb", buffering=0)
        told.close()
        transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), pipe)
        try:
            if (await reader.readline()).startswith(b"ready "):
                self._become(State.READY)
            # What it says else is read, so that it never waits.
            while await reader.read(_LINE_LIMIT):
                pass
        except ValueError:
            log.warning("a process says what cannot be read", name=self.name)
        finally:
            transport.close()

    def _signal(self, number: signal.Signals) -> None:
        if self._handle is not None:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._handle, number)

    def _become(self, state: State) -> None:
        self.state = state
        self._changed()


async def _ended(handle: int) -> None:
    """A pidfd can be read when its process has ended (pidfd_open(2))."""
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    loop.add_reader(handle, ended.set)
    try:
        await ended.wait()
    finally:
        loop.remove_reader(handle)


def _status(process: ForkServerProcess) -> int | None:
    process.join(STOP_TIME)
    exited = process.exitcode
    if exited is not None:
        process.close()
    return exited
