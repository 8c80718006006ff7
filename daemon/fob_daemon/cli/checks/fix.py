"""What mends a finding: files that are written, or a command of this user's. What needs root is a person's to type."""

import shlex
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from fob_daemon.cli.changes.change import Change, Standing, make_all
from fob_daemon.cli.programs import last_words, run_program
from fob_daemon.control.errors import ControlError

# A service that starts, an adapter that is powered on.
RUN_TIME: Final = 30.0


class Fix(Protocol):
    """One remedy that this user can apply."""

    @property
    def lines(self) -> Sequence[str]:
        """What it does, in full."""

    def apply(self) -> None:
        """Raises ControlError."""


@dataclass(frozen=True, slots=True)
class Write:
    """Changes to files."""

    changes: tuple[Change, ...]

    @property
    def lines(self) -> Sequence[str]:
        """Each with its content."""
        due = [change for change in self.changes if change.standing() is Standing.DUE]
        return [line for change in due for line in (change.what, *(f"    {line}" for line in change.content))]

    def apply(self) -> None:
        """Raises ControlError, also where somebody else's file is in the way."""
        for change in self.changes:
            if change.standing() is Standing.FOREIGN:
                raise ControlError(
                    "it was not mended", f"fob would {change.what}, and did not write what is there", "move it away"
                )
        make_all(self.changes)


@dataclass(frozen=True, slots=True)
class Run:
    """A command."""

    command: tuple[str, ...]

    @property
    def lines(self) -> Sequence[str]:
        """As a person would type it."""
        return (f"$ {shlex.join(self.command)}",)

    def apply(self) -> None:
        """Raises ControlError."""
        try:
            done = run_program(self.command, seconds=RUN_TIME)
        except subprocess.TimeoutExpired:
            raise self._failed(f"no end in {RUN_TIME:.0f} s") from None
        except OSError as error:
            raise self._failed(error.strerror or str(error)) from None
        if done.returncode != 0:
            raise self._failed(last_words(done) or f"it ended with {done.returncode}")

    def _failed(self, why: str) -> ControlError:
        return ControlError("it was not mended", f"{self.command[0]}: {why}", shlex.join(self.command))
