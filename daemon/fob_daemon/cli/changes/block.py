"""Some lines of fob's in a file of the person's own, between two marks."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fob_daemon.cli.changes import files
from fob_daemon.cli.changes.change import Standing

BEGIN: Final = "# >>> fob >>>\n"
# There was no file: the block's end is the file's.
BEGIN_OF_FILE: Final = "# >>> fob, which made this file >>>\n"
END: Final = "# <<< fob <<<\n"


@dataclass(frozen=True, slots=True)
class Block:
    """Before all else in the file: ssh takes the first value that it finds, and a shell's later lines go before ours.

    All other octets stay as they are, and the file too where it is a link.
    """

    path: Path
    lines: tuple[str, ...]
    mode: int = files.PUBLIC

    @property
    def what(self) -> str:
        """Which file."""
        return f"add to the beginning of {self.path}"

    @property
    def undone(self) -> str:
        """Which file."""
        return f"removed from {self.path} what fob had added"

    @property
    def content(self) -> Sequence[str]:
        """With the marks."""
        return (BEGIN.rstrip("\n"), *self.lines, END.rstrip("\n"))

    def standing(self) -> Standing:
        """Never foreign: it finds room beside whatever is there. Raises ControlError."""
        text = files.read(self.path)
        found = None if text is None else _find(text)
        return Standing.DONE if found is not None and found.inner == self._inner else Standing.DUE

    def make(self) -> None:
        """An older block of fob's is replaced. Raises ControlError."""
        text = files.read(self.path)
        if text is None:
            files.write(self.path, f"{BEGIN_OF_FILE}{self._inner}{END}", self.mode)
            return
        found = _find(text) or _Found("", BEGIN, "", text)
        files.write(self.path, f"{found.before}{found.begin}{self._inner}{END}{found.after}", self.mode)

    def undo(self) -> bool:
        """Raises ControlError."""
        text = files.read(self.path)
        found = None if text is None else _find(text)
        if found is None:
            return False
        rest = found.before + found.after
        if found.begin == BEGIN_OF_FILE and not rest:
            files.remove(self.path)
        else:
            files.write(self.path, rest, self.mode)
        return True

    @property
    def _inner(self) -> str:
        return "".join(f"{line}\n" for line in self.lines)


@dataclass(frozen=True, slots=True)
class _Found:
    """A file around and inside fob's block."""

    before: str
    begin: str
    inner: str
    after: str


def _find(text: str) -> _Found | None:
    """None where there is no block, or one without an end, which somebody has to look at."""
    for begin in (BEGIN, BEGIN_OF_FILE):
        before, found, rest = text.partition(begin)
        inner, end, after = rest.partition(END)
        if found and end and (not before or before.endswith("\n")):
            return _Found(before, begin, inner, after)
    return None
