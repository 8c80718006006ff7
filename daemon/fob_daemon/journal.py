"""What was done with the keys, and what the devices are doing: kept for `fob log`, told to whoever listens."""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Final

import structlog

from fob_daemon.control.events import EventQueue
from fob_daemon.control.interface import ControlEvent, LogEntry
from fob_daemon.control.log_purpose import LogPurpose
from fob_daemon.metrics.tally import Tally
from fob_daemon.open_questions import OpenQuestions
from fob_daemon.peer import UNKNOWN_PROGRAM
from fob_protocol.caller import Caller

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

# A day of a busy person; the system's journal keeps the rest.
ENTRIES_KEPT: Final = 1000


# Runs something soon.
Later = Callable[[Callable[[], None]], object]


def after_answer(publish: Callable[[], None]) -> None:
    """Run it when the program whose request is ending has its answer: a line in the log takes 0.05 to 0.3 ms.

    A request ends in a task, the task's callback writes the answer in the loop's next pass, and this comes in the pass
    after that.
    """
    loop = asyncio.get_running_loop()
    loop.call_soon(loop.call_soon, publish)


class Journal:
    """The newest entries, the queues of those who watch, and the tally. `later` runs what writes and tells an entry."""

    def __init__(
        self,
        wall_clock: Callable[[], float] = time.time,
        later: Later = after_answer,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._wall_clock = wall_clock
        self._later = later
        self._entries: deque[LogEntry] = deque(maxlen=ENTRIES_KEPT)
        self._sequence = 0
        self._queues: set[EventQueue[ControlEvent]] = set()
        self._questions = OpenQuestions(clock)
        self.tally = Tally()

    def record(
        self,
        *,
        pid: int,
        caller: Caller,
        operation: str,
        key: str,
        device: str,
        result: str,
        milliseconds: float,
    ) -> None:
        """A key was used, or somebody tried."""
        self._sequence += 1
        entry = LogEntry(
            sequence=self._sequence,
            time=self._wall_clock(),
            program=caller.programs[0] if caller.programs else UNKNOWN_PROGRAM,
            pid=pid,
            programs=caller.programs,
            operation=operation,
            purpose=LogPurpose[caller.purpose.name],
            host=caller.host,
            namespace=caller.namespace,
            forwarded=caller.is_forwarded,
            key=key,
            device=device,
            result=result,
            milliseconds=milliseconds,
        )
        self._entries.append(entry)
        self._later(partial(self._publish, entry))

    def newest(self, limit: int, since_sequence: int) -> list[LogEntry]:
        """The newest `limit` entries above a sequence number, oldest first."""
        found = [entry for entry in self._entries if entry.sequence > since_sequence]
        return found[-limit:] if limit > 0 else []

    def tell(self, event: ControlEvent) -> None:
        """Count an event, and put it into every queue."""
        self.tally.hear(event)
        self._questions.hear(event)
        for queue in self._queues:
            queue.put(event)

    def subscribe(self, queue: EventQueue[ControlEvent]) -> None:
        """The questions that are open, and every event from now on."""
        for asked in self._questions.now():
            queue.put(asked)
        self._queues.add(queue)

    def unsubscribe(self, queue: EventQueue[ControlEvent]) -> None:
        """No more."""
        self._queues.discard(queue)

    def _publish(self, entry: LogEntry) -> None:
        _log.info(
            "key.used",
            program=entry.program,
            pid=entry.pid,
            programs=list(entry.programs),
            operation=entry.operation,
            purpose=entry.purpose.value,
            host=entry.host,
            namespace=entry.namespace,
            forwarded=entry.forwarded,
            key=entry.key,
            device=entry.device,
            result=entry.result,
        )
        self.tell(entry)
