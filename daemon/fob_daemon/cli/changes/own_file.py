"""A file that is fob's alone."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fob_daemon.cli.changes import files
from fob_daemon.cli.changes.change import Standing

# In a comment of one of the first lines: who wrote it.
MARK: Final = "Fob: "
_MARKED_LINES: Final = 3


@dataclass(frozen=True, slots=True)
class OwnFile:
    """Written where nothing is, or where fob's mark is.

    `is_first_draft`: whatever is there already stays. `is_known`: fob has noted that it made the file, which is so its
    own whatever became of the mark.
    """

    path: Path
    text: str
    mode: int = files.PUBLIC
    is_first_draft: bool = False
    is_known: bool = False

    @property
    def what(self) -> str:
        """With the mode where it is a program's."""
        return f"write {self.path}{' (a program)' if self.mode & 0o111 else ''}"

    @property
    def undone(self) -> str:
        """Which file."""
        return f"removed {self.path}"

    @property
    def content(self) -> Sequence[str]:
        """All of it."""
        return self.text.splitlines()

    def standing(self) -> Standing:
        """By its text, and else by fob's mark. Raises ControlError."""
        found = files.read(self.path)
        if found is None:
            return Standing.DUE
        if self.is_first_draft or (found == self.text and self._may_run):
            return Standing.DONE
        return Standing.DUE if self._is_ours(found) else Standing.FOREIGN

    @property
    def _may_run(self) -> bool:
        return not self.mode & 0o111 or os.access(self.path, os.X_OK)

    def keep(self) -> Callable[[], object]:
        """Raises ControlError."""
        return files.keep(self.path)

    def make(self) -> None:
        """With its mode, whatever it was before. Raises ControlError."""
        files.write(self.path, self.text, self.mode, keeps_mode=False)

    def undo(self) -> bool:
        """Removed where it is fob's; a first draft where nobody changed it. Raises ControlError."""
        found = files.read(self.path)
        if found is None or not (found == self.text if self.is_first_draft else self._is_ours(found)):
            return False
        files.remove(self.path)
        return True

    def _is_ours(self, found: str) -> bool:
        lines = found.splitlines()[:_MARKED_LINES]
        return self.is_known or any(line.startswith("#") and MARK in line for line in lines)
