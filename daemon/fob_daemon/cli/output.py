"""Where words go: data to standard output, narration and errors to standard error, colour only to a terminal.

Every text passes through `printable`: names, labels and words come from devices and programs. Colour is laid on after.
"""

import json
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from io import TextIOWrapper
from typing import Final

import click

from fob_daemon.control.errors import ControlError
from fob_protocol.names import plain_name

_GAP: Final = "  "

# What a device's state, a check's outcome, a result and a question's fate at the office look like.
_COLOURS: Final = {
    "ready": "green", "ok": "green", "OK": "green",
    "connecting": "yellow", "away": "yellow", "warn": "yellow",
    "answered": "green", "no-office": "yellow", "unreachable": "red", "not-answered": "red", "too-long": "red",
    "valid": "green", "needs-none": "green", "waiting": "yellow", "not-validated": "yellow",
    "invalid": "red", "cloned": "red", "disabled": "red",
    "refused": "red", "stopped": "red", "fail": "red",
    "skip": "bright_black",
}  # fmt: skip


class ReaderGoneError(Exception):
    """Whoever read standard output has closed it, as `head` does."""


@dataclass(frozen=True, slots=True)
class Painted:
    """A part of a line in a colour."""

    text: str
    colour: str | None = None
    bold: bool = False


Part = str | Painted


@dataclass(slots=True)
class Output:
    """`is_json`: a script reads, so data is JSON. `colour` False: never.

    What writes data raises ReaderGoneError, and ControlError when it cannot be written; narration that cannot is lost.
    """

    is_json: bool = False
    colour: bool = True
    _done: str = ""
    _shown_by: str = ""

    def changed(self, done: str, shown_by: str) -> None:
        """Before the data about something that was done, and is not to be done again when they cannot be written.

        `done` says what, as `1 piece is paid`; `shown_by` is the command that tells it again.
        """
        self._done, self._shown_by = done, shown_by

    def data(self, value: object) -> None:
        """One JSON value on one line, in ASCII: exact, and harmless on a terminal."""
        self._write_data(json.dumps(value) + "\n")

    def line(self, *parts: Part) -> None:
        """A line of data."""
        self._write_data(styled(parts) + "\n")

    def text(self, text: str) -> None:
        """Lines of data, tabs as spaces. Only a line feed ends one, as it does for the terminal."""
        for line in text.rstrip("\n").split("\n"):
            self.line(line.expandtabs())

    def say(self, *parts: Part) -> None:
        """A line of narration."""
        self._narrate(styled(parts) + "\n")

    def ask(self, question: str) -> None:
        """A question, on a line that the answer goes on."""
        self._narrate(printable(question))

    def table(self, header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        """Aligned columns; nothing at all without rows. A cell may be Painted."""
        cells = [[cell if isinstance(cell, Painted) else str(cell) for cell in row] for row in rows]
        if not cells:
            return
        widths = [max(len(_text(cell)) for cell in column) for column in zip(header, *cells, strict=True)]
        self.line(*_aligned([Painted(name, bold=True) for name in header], widths))
        for row in cells:
            self.line(*_aligned(row, widths))

    def fields(self, values: Mapping[str, object]) -> None:
        """A name and a value a line."""
        width = max(map(len, values))
        for name, value in values.items():
            self.line(f"{name:<{width}}{_GAP}{value}")

    def error(self, error: ControlError) -> None:
        """Three lines: what, why, the next command. One JSON object for a script."""
        if self.is_json:
            self._narrate(json.dumps({"error": error.to_json()}) + "\n")
            return
        self.say(Painted("error:", "red", bold=True), f" {error.what}")
        self.say(f"why:   {error.why}")
        self.say(f"try:   {error.next_command}")

    def _write_data(self, text: str) -> None:
        if sys.stdout is None:
            raise self._not_written("it is closed")
        try:
            click.echo(text, nl=False, color=self._colour())
        except BrokenPipeError:
            raise ReaderGoneError from None
        except OSError as error:
            raise self._not_written(error.strerror or str(error)) from None

    def _not_written(self, why: str) -> ControlError:
        return not_written(why, self._done, self._shown_by)

    def _narrate(self, text: str) -> None:
        # Who does not listen must not stop what is done.
        with suppress(OSError):
            click.echo(text, nl=False, err=True, color=self._colour())

    def _colour(self) -> bool | None:
        return None if self.colour else False


def printable(text: str) -> str:
    """A text without what steers a terminal: escapes, line ends, overrides of the writing direction."""
    return plain_name(text, limit=len(text))


def coloured(word: str) -> Painted:
    """A state's or an outcome's word in its colour."""
    return Painted(word, _COLOURS.get(word))


def take_every_character() -> None:
    """An old locale has no way to write some; that is no reason to fail."""
    for stream in _streams():
        stream.reconfigure(errors="replace")


def give_up_what_cannot_be_written() -> None:
    """Python writes what is left in its streams when it ends, and complains in words and exit status of its own."""
    for stream in _streams():
        try:
            stream.flush()
        except OSError:
            nothing = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nothing, stream.fileno())
            os.close(nothing)


def _streams() -> list[TextIOWrapper]:
    return [stream for stream in (sys.stdout, sys.stderr) if isinstance(stream, TextIOWrapper)]


def not_written(why: str, done: str = "", shown_by: str = "") -> ControlError:
    """What standard output did not take. `done` was done all the same: the same command would do it once more."""
    if not done:
        return ControlError("the output was not written", f"standard output: {why}", "the same command again")
    return ControlError("the output was not written", f"standard output: {why}; {done} all the same", shown_by)


def styled(parts: Sequence[Part]) -> str:
    """The parts as a terminal shows them, harmless and in their colours."""
    return "".join(map(_styled, parts))


def _styled(part: Part) -> str:
    if isinstance(part, str):
        return printable(part)
    if part.colour is None and not part.bold:
        return printable(part.text)
    return click.style(printable(part.text), fg=part.colour, bold=part.bold or None)


def _text(part: Part) -> str:
    return part if isinstance(part, str) else part.text


def _aligned(cells: Sequence[Part], widths: Sequence[int]) -> list[Part]:
    """The cells, and the space between them; none at the end."""
    parts: list[Part] = []
    for cell, width in zip(cells, widths, strict=True):
        parts += [cell, " " * (width - len(_text(cell))), _GAP]
    while parts and not _text(parts[-1]).strip():
        parts.pop()
    return parts
