"""A bar on the terminal, for logs that take a while."""

import sys
import time
from collections.abc import Callable
from typing import Final

_WIDTH: Final = 40
# Seconds: a shorter walk needs no bar, and nobody reads faster.
_DELAY: Final = 1.0
_INTERVAL: Final = 0.2
# Back to the beginning of the line, and it is empty.
_CLEAR: Final = "\r\x1b[K"


class Progress:
    """Of `total` octets, on standard error; nothing where that is no terminal."""

    def __init__(self, total: int, *, is_wanted: bool, now: Callable[[], float] = time.monotonic) -> None:
        self._total = total
        self._is_live = is_wanted and total > 0 and sys.stderr is not None and sys.stderr.isatty()
        self._now = now
        self._due = now() + _DELAY
        self._is_drawn = False

    def tell(self, position: int) -> None:
        """So many octets are read."""
        if not self._is_live or (now := self._now()) < self._due:
            return
        self._due = now + _INTERVAL
        self._is_drawn = True
        share = min(position / self._total, 1)
        bar = "#" * int(_WIDTH * share)
        print(f"\r[{bar:<{_WIDTH}}] {share:4.0%}", end="", file=sys.stderr, flush=True)

    def end(self) -> None:
        """Take the bar away."""
        if self._is_drawn:
            print(_CLEAR, end="", file=sys.stderr, flush=True)
