"""The batch that a program is writing: opening, adding and beginning to frank belong to one program.

What is written down of a batch that nothing was asked for is forgotten when another one begins; so nobody begins one
while a program that is there still adds to its own.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fob_daemon.metering.refusing import being_written

# Seconds without a word, after which a program that goes on has given its batch up: it waits for a person's PIN at
# most. Of a program that begins another batch itself: it is not waiting for a person.
IDLE_TIME: Final = 600.0
OWN_IDLE_TIME: Final = 30.0
# In /proc/PID/stat, behind the name: when the process started.
_STARTED: Final = 19


@dataclass(frozen=True, slots=True)
class Writer:
    """A program, by its process; `words` name it to people. `started`: 0 where the kernel does not tell."""

    words: str
    pid: int
    started: int

    @classmethod
    def of(cls, words: str, pid: int) -> "Writer":
        """A process that is there now."""
        return cls(words, pid, _started(pid))

    @property
    def is_there(self) -> bool:
        """It, and no other one that has its number by now."""
        return self.started != 0 and _started(self.pid) == self.started


@dataclass(slots=True)
class Drafts:
    """At most one; `clock` in seconds, from wherever."""

    clock: Callable[[], float]
    job: int = 0
    _writer: Writer | None = None
    _heard: float = 0.0

    def check_free(self, writer: Writer | None) -> None:
        """Before another batch begins. Raises ControlError."""
        if self._writer is not None and self._is_live(self._writer, writer):
            raise being_written(self._writer.words, self._writer.pid)

    def check_over(self, job: int) -> None:
        """Before somebody goes on with a batch. Raises ControlError where its own program still does."""
        if self._writer is not None and job == self.written:
            raise being_written(self._writer.words, self._writer.pid)

    def begin(self, job: int, writer: Writer | None) -> None:
        """From now on it is this program's, until `end`."""
        self.job, self._writer, self._heard = (job, writer, self.clock()) if writer is not None else (0, None, 0.0)

    def hear(self, job: int) -> None:
        """Its program goes on with it."""
        if job == self.job:
            self._heard = self.clock()

    def end(self, job: int) -> None:
        """It was franked, cut or given up."""
        if job == self.job:
            self.job, self._writer = 0, None

    @property
    def written(self) -> int:
        """The batch that is being written by somebody who is there; 0: none."""
        return self.job if self._writer is not None and self._is_live(self._writer, None) else 0

    def _is_live(self, writer: Writer, other: Writer | None) -> bool:
        is_own = other is not None and other.pid == writer.pid
        idle = self.clock() - self._heard
        return writer.is_there and idle < (OWN_IDLE_TIME if is_own else IDLE_TIME)


def _started(pid: int) -> int:
    try:
        behind_name = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
        # A zombie has nothing to add.
        return 0 if behind_name[0] == "Z" else int(behind_name[_STARTED])
    except (OSError, ValueError, IndexError):
        return 0
