"""Some lines of fob's in a file of the person's own, between two marks."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from fob_daemon.cli.changes import files
from fob_daemon.cli.changes.change import Standing

BEGIN: Final = "# >>> fob >>>\n"
# What undoing needs to know: there was no file; the line before had no end, and got one.
BEGIN_OF_FILE: Final = "# >>> fob, which made this file >>>\n"
BEGIN_BEHIND_OPEN_LINE: Final = "# >>> fob, behind a line that had no end >>>\n"
END: Final = "# <<< fob <<<\n"


@dataclass(frozen=True, slots=True)
class Block:
    """Before all else in the file, or behind it. All other octets stay as they are, and so does a link."""

    path: Path
    lines: tuple[str, ...]
    mode: int = files.PUBLIC
    is_last: bool = False

    @property
    def what(self) -> str:
        """Which file."""
        return f"add to the {'end' if self.is_last else 'beginning'} of {self.path}"

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

    def keep(self) -> Callable[[], object]:
        """Raises ControlError."""
        return files.keep(self.path)

    def make(self) -> None:
        """An older block of fob's is replaced where it is. Raises ControlError."""
        text = files.read(self.path)
        found = self._room_in(text) if text is None else _find(text) or self._room_in(text)
        files.write(self.path, f"{found.before}{found.begin}{self._inner}{END}{found.after}", self.mode)

    def undo(self) -> bool:
        """Raises ControlError."""
        text = files.read(self.path)
        found = None if text is None else _find(text)
        if found is None:
            return False
        before = found.before.removesuffix("\n") if found.begin == BEGIN_BEHIND_OPEN_LINE else found.before
        if found.begin == BEGIN_OF_FILE and not before + found.after:
            files.remove(self.path)
        else:
            files.write(self.path, before + found.after, self.mode)
        return True

    def with_found(self) -> "Block":
        """The lines that fob has there already stay, and go before those that are new. Raises ControlError."""
        text = files.read(self.path)
        found = None if text is None else _find(text)
        lines = () if found is None else found.inner.splitlines()
        return replace(self, lines=tuple(dict.fromkeys((*lines, *self.lines))))

    def _room_in(self, text: str | None) -> "_Found":
        if text is None:
            return _Found("", BEGIN_OF_FILE, "", "")
        if not self.is_last:
            return _Found("", BEGIN, "", text)
        if text and not text.endswith("\n"):
            return _Found(f"{text}\n", BEGIN_BEHIND_OPEN_LINE, "", "")
        return _Found(text, BEGIN, "", "")

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
    for begin in (BEGIN, BEGIN_OF_FILE, BEGIN_BEHIND_OPEN_LINE):
        before, found, rest = text.partition(begin)
        inner, end, after = rest.partition(END)
        if found and end and (not before or before.endswith("\n")):
            return _Found(before, begin, inner, after)
    return None
