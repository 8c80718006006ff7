"""A symbolic link of fob's, as `systemctl enable` makes it."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from fob_daemon.cli.changes import files
from fob_daemon.cli.changes.change import Standing
from fob_daemon.control.errors import ControlError


@dataclass(frozen=True, slots=True)
class Link:
    """`path` leads to `target`."""

    path: Path
    target: Path

    @property
    def what(self) -> str:
        """Both ends."""
        return f"link {self.path} to {self.target}"

    @property
    def undone(self) -> str:
        """Which link."""
        return f"removed {self.path}"

    @property
    def content(self) -> Sequence[str]:
        """All is said."""
        return ()

    def standing(self) -> Standing:
        """Foreign where something else is in its place."""
        if not os.path.lexists(self.path):
            return Standing.DUE
        is_ours = self.path.is_symlink() and self.path.readlink() == self.target
        return Standing.DONE if is_ours else Standing.FOREIGN

    def keep(self) -> Callable[[], object]:
        """It is made where nothing is."""
        return self.undo

    def make(self) -> None:
        """Raises ControlError."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.symlink_to(self.target)
        except OSError as error:
            why = error.strerror or str(error)
            raise ControlError(f"{self.path} was not made", why, f"ls -ld {self.path.parent}") from None

    def undo(self) -> bool:
        """Raises ControlError."""
        if self.standing() is not Standing.DONE:
            return False
        files.remove_itself(self.path)
        return True
