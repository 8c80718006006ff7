"""A bar for what takes long, on a terminal only."""

import sys
from types import TracebackType
from typing import Final

import click

from fob_daemon.cli.output import Output, printable

# So many steps are done before anybody has read a bar.
WORTH_SHOWING: Final = 200


class Progress:
    """Use as a context; `show` says how many steps are done."""

    def __init__(self, output: Output, words: str, length: int) -> None:
        is_shown = length >= WORTH_SHOWING and not output.is_json and sys.stderr is not None and sys.stderr.isatty()
        self._bar = click.progressbar(length=length, label=printable(words), file=sys.stderr) if is_shown else None
        self._done = 0

    def __enter__(self) -> "Progress":
        if self._bar is not None:
            self._bar.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, place: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.__exit__(kind, error, place)

    def show(self, done: int) -> None:
        """So many steps in all."""
        if self._bar is not None and done > self._done:
            self._bar.update(done - self._done)
        self._done = max(done, self._done)
