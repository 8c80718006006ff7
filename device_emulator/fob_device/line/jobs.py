"""What a session was asked to do, remembered beyond its end, so that a broken link runs nothing twice (FOBRECALL)."""

import asyncio
from dataclasses import dataclass, field
from enum import Enum

from fob_device.approval.askers import Asker
from fob_device.withdrawal import WITHDRAWN
from fob_protocol.at.answer import Answer, encode_answer
from fob_protocol.limits import HELD_OCTETS, OUTSTANDING_LIMIT, PARKED_LIMIT, WINDOW
from fob_protocol.session.pace import Pace

# A PC can ask only for what it had no answer of: what was in the window, or parked. Answers: HELD_OCTETS of them.
JOBS_LIMIT = WINDOW + PARKED_LIMIT + OUTSTANDING_LIMIT

# A PC whose link breaks again while it recalls still finds its first session.
SESSIONS_LIMIT = 8


class Fate(Enum):
    """What became of a request that has no task here."""

    NEVER_CAME = "that request never came"
    FORGOTTEN = "that request is too old to be remembered"


@dataclass(frozen=True, slots=True, eq=False)
class Job:
    """A request that was begun, and who waits for its answer."""

    task: asyncio.Task[Answer]
    asker: Asker

    def withdraw(self) -> None:
        """Nobody waits any more: stop the question that it asks, if it still does."""
        self.task.cancel(WITHDRAWN)


@dataclass(slots=True)
class Jobs:
    """Those of one session by request number, the last JOBS_LIMIT of them: first those that run, then by their end."""

    jobs: dict[int, Job] = field(default_factory=dict)
    # What this session recalled of earlier ones.
    recalled: set[Job] = field(default_factory=set)
    _forgotten_up_to: int = -1
    # Of the answers, by number.
    _octets: dict[int, int] = field(default_factory=dict)

    def add(self, number: int, job: Job) -> None:
        """Remember a job; those that finished first give way."""
        self.jobs[number] = job
        job.task.add_done_callback(lambda task: self._finished(number, task))
        self._forget()

    def find(self, number: int) -> Job | Fate:
        """The job of a request, or why there is none."""
        job = self.jobs.get(number)
        if job is not None:
            return job
        return Fate.FORGOTTEN if number <= self._forgotten_up_to else Fate.NEVER_CAME

    def withdraw(self, number: int) -> None:
        """The PC no longer waits."""
        job = self.jobs.get(number)
        if job is not None:
            job.withdraw()

    def unfinished(self) -> list[Job]:
        """The jobs that still run."""
        return [job for job in self.jobs.values() if not job.task.done()]

    def _finished(self, number: int, task: asyncio.Task[Answer]) -> None:
        """The oldest request may be the last one that is answered: then its answer is the one that is due."""
        is_answered = not task.cancelled() and task.exception() is None
        self._octets[number] = len(encode_answer(task.result())) if is_answered else 0
        self.jobs[number] = self.jobs.pop(number)
        self._forget()

    def _forget(self) -> None:
        while self._octets and (len(self.jobs) > JOBS_LIMIT or sum(self._octets.values()) > HELD_OCTETS):
            first = next(iter(self._octets))
            del self.jobs[first], self._octets[first]
            self._forgotten_up_to = max(self._forgotten_up_to, first)


@dataclass(slots=True)
class JobMemory:
    """The jobs of the last sessions with one PC, by session.

    A job whose session has ended goes on for as long as the PC may still recall it, its asker being away; then nobody
    waits for its answer.
    """

    sessions: dict[bytes, Jobs] = field(default_factory=dict)
    # No session with a higher block was forgotten: one that is not here and higher never began (Phone.greeting).
    forgotten_up_to: bytes = b""
    _open: Jobs | None = None
    _deadline: asyncio.TimerHandle | None = None

    def begin(self, session: bytes, pace: Pace) -> Jobs:
        """The jobs of a new session, which recalls soon what its PC still wants; the oldest session is forgotten."""
        self._open = self.sessions[session] = Jobs()
        if len(self.sessions) > SESSIONS_LIMIT:
            oldest = next(iter(self.sessions))
            self.forgotten_up_to = max(self.forgotten_up_to, oldest)
            _withdraw(self.sessions.pop(oldest).unfinished())
        self._wait_for_recalls(pace.recall_grace)
        return self._open

    def end(self, jobs: Jobs, pace: Pace) -> None:
        """A session is over; the next one may come soon."""
        if self._open is jobs:
            self._open = None
            self._wait_for_recalls(pace.next_session_time)

    def recall(self, jobs: Jobs, session: bytes, number: int, pace: Pace) -> Job | Fate:
        """The job of a request of an earlier session, for which these jobs' session waits; or why there is none."""
        job = self._find(session, number)
        # A session that ended in the same moment waits for nothing.
        if isinstance(job, Job) and jobs is self._open:
            jobs.recalled.add(job)
            job.asker.come_back()
            self._wait_for_recalls(pace.recall_grace)
        return job

    def stop(self) -> None:
        """The power is cut: nothing goes on, and nothing is remembered."""
        self._stop_waiting()
        for jobs in self.sessions.values():
            for job in jobs.unfinished():
                job.task.cancel()
        self.sessions.clear()

    def _find(self, session: bytes, number: int) -> Job | Fate:
        jobs = self.sessions.get(session)
        if jobs is not None:
            return jobs.find(number)
        return Fate.FORGOTTEN if session <= self.forgotten_up_to else Fate.NEVER_CAME

    def _abandoned(self) -> list[Job]:
        """What runs of sessions that ended, and was not recalled by the one that is open."""
        wanted = set() if self._open is None else self._open.recalled
        ended = [jobs for jobs in self.sessions.values() if jobs is not self._open]
        return [job for jobs in ended for job in jobs.unfinished() if job not in wanted]

    def _wait_for_recalls(self, seconds: float) -> None:
        """From now on whoever asked is away, and what nobody recalls in time is withdrawn."""
        self._stop_waiting()
        abandoned = self._abandoned()
        for job in abandoned:
            job.asker.leave()
        if abandoned:
            loop = asyncio.get_running_loop()
            self._deadline = loop.call_later(seconds, lambda: _withdraw(self._abandoned()))

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


def _withdraw(jobs: list[Job]) -> None:
    for job in jobs:
        job.withdraw()
