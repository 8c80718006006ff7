"""Where words go: data to standard output, narration and errors to standard error, colour only to a terminal."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import click

from fob_daemon.control.errors import ControlError

_GAP: Final = "  "

# What a device's state, a check's outcome and a result look like.
_COLOURS: Final = {
    "ready": "green", "ok": "green", "OK": "green",
    "connecting": "yellow", "away": "yellow", "warn": "yellow",
    "refused": "red", "stopped": "red", "fail": "red",
    "skip": "bright_black",
}  # fmt: skip


@dataclass(slots=True)
class Output:
    """`is_json`: a script reads, so data is JSON. `colour` False: never."""

    is_json: bool = False
    colour: bool = True

    def data(self, value: object) -> None:
        """One JSON value, on one line."""
        click.echo(json.dumps(value, ensure_ascii=False))

    def line(self, text: str = "") -> None:
        """A line of data."""
        self._print(text, to_stderr=False)

    def say(self, text: str) -> None:
        """A line of narration."""
        self._print(text, to_stderr=True)

    def ask(self, question: str) -> None:
        """A question, on a line that the answer goes on."""
        click.echo(question, err=True, nl=False)

    def table(self, header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        """Aligned columns; nothing at all without rows."""
        cells = [[printable(str(cell)) for cell in row] for row in rows]
        if not cells:
            return
        widths = [max(map(len, column)) for column in zip(header, *cells, strict=True)]
        self.line(click.style(_aligned(header, widths), bold=True))
        for row in cells:
            self.line(_coloured(_aligned(row, widths), row))

    def fields(self, values: Mapping[str, object]) -> None:
        """A name and a value a line."""
        width = max(map(len, values))
        for name, value in values.items():
            self.line(f"{name:<{width}}{_GAP}{printable(str(value))}")

    def error(self, error: ControlError) -> None:
        """Three lines: what, why, the next command. One JSON object for a script."""
        if self.is_json:
            click.echo(json.dumps({"error": error.to_json()}, ensure_ascii=False), err=True)
            return
        self.say(click.style("error:", fg="red", bold=True) + f" {printable(error.what)}")
        self.say(f"why:   {printable(error.why)}")
        self.say(f"try:   {printable(error.next_command)}")

    def _print(self, text: str, *, to_stderr: bool) -> None:
        click.echo(text, err=to_stderr, color=None if self.colour else False)


def printable(text: str) -> str:
    """Without characters that move a terminal's cursor: labels and words come from elsewhere."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)


def coloured(word: str) -> str:
    """A state's or an outcome's word in its colour."""
    return click.style(word, fg=_COLOURS[word]) if word in _COLOURS else word


def _aligned(cells: Sequence[str], widths: Sequence[int]) -> str:
    return _GAP.join(f"{cell:<{width}}" for cell, width in zip(cells, widths, strict=True)).rstrip()


def _coloured(line: str, row: Sequence[str]) -> str:
    word = next((cell for cell in row if cell in _COLOURS), None)
    return line if word is None else line.replace(word, coloured(word), 1)
