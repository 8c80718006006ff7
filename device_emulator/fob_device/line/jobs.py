"""What a session was asked to do, remembered beyond its end, so that a broken link runs nothing twice (FOBRECALL)."""

import asyncio
from dataclasses import dataclass, field
from enum import Enum

from fob_device.withdrawal import WITHDRAWN
from fob_protocol.at.answer import Answer
from fob_protocol.limits import OUTSTANDING_LIMIT, PARKED_LIMIT, WINDOW

# A PC can ask only for what it had no answer of: what was in the window, or parked.
JOBS_LIMIT = WINDOW + PARKED_LIMIT + OUTSTANDING_LIMIT


# A PC whose link breaks again while it recalls still finds its first session.
SESSIONS_LIMIT = 8


class Fate(Enum):
    """What became of a request that has no task here."""

    NEVER_CAME = "that request never came"
    FORGOTTEN = "that request is too old to be remembered"


@dataclass(slots=True)
class Jobs:
    """The tasks of one session by request number, the last JOBS_LIMIT of them."""

    tasks: dict[int, asyncio.Task[Answer]] = field(default_factory=dict)
    _forgotten_up_to: int = -1

    def add(self, number: int, task: asyncio.Task[Answer]) -> None:
        """Remember a task; the oldest finished one gives way."""
        self.tasks[number] = task
        if len(self.tasks) > JOBS_LIMIT:
            oldest = next((n for n, t in self.tasks.items() if t.done()), None)
            if oldest is not None:
                del self.tasks[oldest]
                self._forgotten_up_to = max(self._forgotten_up_to, oldest)

    def find(self, number: int) -> asyncio.Task[Answer] | Fate:
        """The task of a request, or why there is none."""
        task = self.tasks.get(number)
        if task is not None:
            return task
        return Fate.FORGOTTEN if number <= self._forgotten_up_to else Fate.NEVER_CAME

    def withdraw(self, number: int) -> None:
        """The PC no longer waits: stop the question that this job asks, if it still does."""
        task = self.tasks.get(number)
        if task is not None:
            task.cancel(WITHDRAWN)

    def unfinished(self) -> list[asyncio.Task[Answer]]:
        """The jobs that still run."""
        return [task for task in self.tasks.values() if not task.done()]


@dataclass(slots=True)
class JobMemory:
    """The jobs of the last sessions with one PC, by session."""

    sessions: dict[bytes, Jobs] = field(default_factory=dict)

    def begin(self, session: bytes) -> Jobs:
        """The jobs of a new session; the oldest session is forgotten."""
        self.sessions[session] = Jobs()
        if len(self.sessions) > SESSIONS_LIMIT:
            del self.sessions[next(iter(self.sessions))]
        return self.sessions[session]

    def stop(self) -> None:
        """The power is cut: nothing goes on, and nothing is remembered."""
        for jobs in self.sessions.values():
            for task in jobs.unfinished():
                task.cancel()
        self.sessions.clear()

    def find(self, session: bytes, number: int) -> asyncio.Task[Answer] | Fate:
        """The task of a request of an earlier session, or why there is none."""
        jobs = self.sessions.get(session)
        return Fate.FORGOTTEN if jobs is None else jobs.find(number)
