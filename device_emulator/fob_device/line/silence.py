"""A PC that waits for answers and is not heard: a line of three wires does not tell that its other end was closed."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from fob_device.line.jobs import Job, Jobs


@dataclass(slots=True)
class Silence:
    """Who asks is away while a session's PC is silent for longer than one that waits for answers ever is.

    `after`: how long that is, in seconds, at any time.
    """

    jobs: Jobs
    after: Callable[[], float]
    _is_silent: bool = False
    _timer: asyncio.TimerHandle | None = None

    def end(self) -> None:
        """A record came."""
        self.stop()
        self._timer = asyncio.get_running_loop().call_later(self.after(), self._begin)
        if self._is_silent:
            self._is_silent = False
            for job in self._awaited():
                job.asker.come_back()

    def stop(self) -> None:
        """The session is over."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _begin(self) -> None:
        self._is_silent = True
        for job in self._awaited():
            job.asker.leave()

    def _awaited(self) -> list[Job]:
        """What this session's PC waits for, also of earlier sessions."""
        return [*self.jobs.unfinished(), *(job for job in self.jobs.recalled if not job.task.done())]
