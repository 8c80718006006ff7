"""How far a configuration is, on one line of a terminal; into a file or pipe a line for each thing that is done."""

import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Final

from fob_daemon.cli.output import Output, printable
from fob_protocol.names import shortened
from fob_protocol.time_left import TimeLeft, about

_WIDTH: Final = 24
_FULL, _EMPTY = "█", "·"
# Of a terminal of 80 columns; in the last one a terminal may begin the next line.
_COLUMNS: Final = 79
_BACK: Final = "\r\x1b[K"


class OfficeBar:
    """Use as a context; `show` says what is done now, and how far that is. `clock` gives seconds."""

    def __init__(self, output: Output, clock: Callable[[], float] = time.monotonic) -> None:
        self._output = output
        self._clock = clock
        self._time_left = TimeLeft()
        self._is_live = not output.is_json and sys.stderr is not None and sys.stderr.isatty()
        self._words = self._drawn = ""
        # Words from elsewhere come from a thread.
        self._writing = threading.Lock()

    def __enter__(self) -> "OfficeBar":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, place: TracebackType | None
    ) -> None:
        with self._writing:
            if self._drawn:
                self._write("\n")
            self._drawn = ""

    def show(self, words: str, done: int, total: int) -> None:
        """`done` of `total`, 0 of 0 when that is not known; without words there is nothing new."""
        if not words:
            return
        with self._writing:
            if self._is_live:
                self._drawn = self._line(words, done, total)
                self._write(_BACK + self._drawn)
            elif words != self._words:
                self._output.say(f"{words} ...")
        self._words = words

    def say(self, words: str) -> None:
        """A line of its own above the bar."""
        with self._writing:
            if self._drawn:
                self._write(_BACK)
            self._output.say(words)
            self._write(self._drawn)

    def _line(self, words: str, done: int, total: int) -> str:
        now = self._clock()
        self._time_left.note(done, total, now)
        left = left_words(self._time_left, now)
        shown = bar(done, total)
        room = _COLUMNS - len(shown) - 2 - (len(left) + 2 if left else 0)
        # What steers the terminal is ours alone: the words are a device's.
        return "  ".join(part for part in (shown, printable(shortened(words, room)), left) if part)

    def _write(self, text: str) -> None:
        if text:
            with suppress(OSError):
                sys.stderr.write(text)
                sys.stderr.flush()


def left_words(time_left: TimeLeft, now: float) -> str:
    """`about 3 min left`; nothing while nobody can tell."""
    seconds = time_left.seconds(now)
    return "" if seconds is None else about(seconds)


def bar(done: int, total: int, width: int = _WIDTH) -> str:
    """`██████······  50 %`; empty and without a number when nobody knows."""
    if total <= 0:
        return _EMPTY * width + "     "
    share = min(done, total) / total
    full = int(share * width)
    return f"{_FULL * full}{_EMPTY * (width - full)} {int(share * 100):3} %"
