"""What a session was asked to do, remembered beyond its end, so that a broken link runs nothing twice (FOBRECALL)."""

import asyncio
from dataclasses import dataclass, field

from fob_protocol.at.answer import Answer
from fob_protocol.limits import OUTSTANDING_LIMIT, PARKED_LIMIT, WINDOW

# A PC can ask only for what it had no answer of: what was in the window, or parked.
JOBS_LIMIT = WINDOW + PARKED_LIMIT + OUTSTANDING_LIMIT


@dataclass(slots=True)
class Jobs:
    """The tasks of one session by request number, the last JOBS_LIMIT of them."""

    session: bytes
    tasks: dict[int, asyncio.Task[Answer]] = field(default_factory=dict)

    def add(self, number: int, task: asyncio.Task[Answer]) -> None:
        """Remember a task; the oldest finished one gives way."""
        self.tasks[number] = task
        if len(self.tasks) > JOBS_LIMIT:
            oldest = next((n for n, t in self.tasks.items() if t.done()), None)
            if oldest is not None:
                del self.tasks[oldest]

    def withdraw(self, number: int) -> None:
        """The PC no longer waits: stop the question that this job asks, if it still does."""
        task = self.tasks.get(number)
        if task is not None:
            task.cancel()

    def unfinished(self) -> list[asyncio.Task[Answer]]:
        """The jobs that still run."""
        return [task for task in self.tasks.values() if not task.done()]
