"""What a run prints: a line for each thing that is waited for, begun before the wait."""

import time
from collections.abc import Iterator
from contextlib import contextmanager


class Progress:
    """Prints to standard output. A step that raises is shown as failed, and raises on."""

    @contextmanager
    def step(self, text: str) -> Iterator[None]:
        """A line with how long its `with` block took."""
        self.begin(text)
        try:
            yield
        except BaseException:
            self.end("failed")
            raise
        self.end("ok")

    def begin(self, text: str) -> None:
        """Begin a line."""
        self._began = time.monotonic()
        print(f"{text:<50} ", end="", flush=True)

    def end(self, result: str) -> None:
        """End it with a result and the time since it began."""
        print(f"{result:<7}{time.monotonic() - self._began:6.1f} s", flush=True)
