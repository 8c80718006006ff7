"""What a session was asked to do, remembered beyond its end, so that a broken link runs nothing twice (FOBRECALL)."""

import asyncio
from dataclasses import dataclass, field
from enum import Enum

from fob_device.withdrawal import WITHDRAWN
from fob_protocol.at.answer import Answer
from fob_protocol.limits import OUTSTANDING_LIMIT, PARKED_LIMIT, WINDOW
from fob_protocol.session.pace import Pace

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
    # What this session recalled of earlier ones.
    recalled: set[asyncio.Task[Answer]] = field(default_factory=set)
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
    """The jobs of the last sessions with one PC, by session.

    A job whose session has ended goes on for as long as the PC may still recall it: then nobody waits for its answer.
    """

    sessions: dict[bytes, Jobs] = field(default_factory=dict)
    _open: Jobs | None = None
    _deadline: asyncio.TimerHandle | None = None

    def begin(self, session: bytes, pace: Pace) -> Jobs:
        """The jobs of a new session, which recalls soon what its PC still wants; the oldest session is forgotten."""
        self._open = self.sessions[session] = Jobs()
        if len(self.sessions) > SESSIONS_LIMIT:
            _withdraw(self.sessions.pop(next(iter(self.sessions))).unfinished())
        self._wait_for_recalls(pace.recall_grace)
        return self._open

    def end(self, jobs: Jobs, pace: Pace) -> None:
        """A session is over; the next one may come soon."""
        if self._open is jobs:
            self._open = None
            self._wait_for_recalls(pace.next_session_time)

    def recall(self, jobs: Jobs, session: bytes, number: int, pace: Pace) -> asyncio.Task[Answer] | Fate:
        """The task of a request of an earlier session, for which these jobs' session waits; or why there is none."""
        task = self._find(session, number)
        if isinstance(task, asyncio.Task):
            jobs.recalled.add(task)
            self._wait_for_recalls(pace.recall_grace)
        return task

    def stop(self) -> None:
        """The power is cut: nothing goes on, and nothing is remembered."""
        self._stop_waiting()
        for jobs in self.sessions.values():
            for task in jobs.unfinished():
                task.cancel()
        self.sessions.clear()

    def _find(self, session: bytes, number: int) -> asyncio.Task[Answer] | Fate:
        jobs = self.sessions.get(session)
        return Fate.FORGOTTEN if jobs is None else jobs.find(number)

    def _abandoned(self) -> list[asyncio.Task[Answer]]:
        """What runs of sessions that ended, and was not recalled by the one that is open."""
        wanted = set() if self._open is None else self._open.recalled
        ended = [jobs for jobs in self.sessions.values() if jobs is not self._open]
        return [task for jobs in ended for task in jobs.unfinished() if task not in wanted]

    def _wait_for_recalls(self, seconds: float) -> None:
        """Withdraw what nobody recalls in time, from now on."""
        self._stop_waiting()
        if self._abandoned():
            loop = asyncio.get_running_loop()
            self._deadline = loop.call_later(seconds, lambda: _withdraw(self._abandoned()))

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


def _withdraw(tasks: list[asyncio.Task[Answer]]) -> None:
    for task in tasks:
        task.cancel(WITHDRAWN)
