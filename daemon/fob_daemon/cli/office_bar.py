"""How far a configuration is, on one line of a terminal; into a file or pipe a line for each thing that is done."""

import sys
from types import TracebackType
from typing import Final

from fob_daemon.cli.output import Output, printable

_WIDTH: Final = 24
_FULL, _EMPTY = "█", "·"
# Of a terminal of 80 columns, beside the bar.
_WORDS: Final = 48
_BACK: Final = "\r\x1b[K"


class OfficeBar:
    """Use as a context; `show` says what is done now, and how far that is."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._is_live = not output.is_json and sys.stderr is not None and sys.stderr.isatty()
        self._words = ""

    def __enter__(self) -> "OfficeBar":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, place: TracebackType | None
    ) -> None:
        if self._is_live and self._words:
            self._output.ask("\n")

    def show(self, words: str, done: int, total: int) -> None:
        """`done` of `total`, 0 of 0 when that is not known."""
        if self._is_live:
            self._draw(words, done, total)
        elif words and words != self._words:
            self._output.say(f"{words} ...")
        self._words = words or self._words

    def _draw(self, words: str, done: int, total: int) -> None:
        # What steers the terminal is ours alone: the words are a device's.
        sys.stderr.write(f"{_BACK}{bar(done, total)}  {printable(words[:_WORDS])}")
        sys.stderr.flush()


def bar(done: int, total: int, width: int = _WIDTH) -> str:
    """`██████······  50 %`; empty and without a number when nobody knows."""
    if total <= 0:
        return _EMPTY * width + "     "
    share = min(done, total) / total
    full = int(share * width)
    return f"{_FULL * full}{_EMPTY * (width - full)} {int(share * 100):3} %"
