"""A stream that is read beside a question at the terminal: what comes may withdraw the question."""

import os
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, suppress
from queue import SimpleQueue
from typing import Final

from fob_daemon.control.errors import ControlError
from fob_daemon.control.sse import ServerEvent

# What reads a stream, in a list of threads.
THREAD: Final = "stream"

Stream = AbstractContextManager[Iterator[ServerEvent]]


class StreamBeside:
    """The events of `stream`, in a `with` block. The file descriptor can be read as soon as one waits."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        # None: the stream is at its end.
        self._came: SimpleQueue[ServerEvent | ControlError | None] = SimpleQueue()
        self._signs, self._sign = os.pipe()
        self._opened = threading.Event()
        # It reads until the stream or the process ends: a thread in a read cannot be told to stop.
        threading.Thread(target=self._read, name=THREAD, daemon=True).start()

    def __enter__(self) -> "StreamBeside":
        return self

    def __exit__(self, *exception: object) -> None:
        os.close(self._signs)

    def await_opening(self) -> None:
        """Until nothing that happens is missed any more, or the stream could not be opened."""
        self._opened.wait()

    def fileno(self) -> int:
        """For select(2)."""
        return self._signs

    def __iter__(self) -> Iterator[ServerEvent]:
        """Wait for each event. Raises ControlError."""
        while True:
            came = self._came.get()
            os.read(self._signs, 1)
            if came is None:
                return
            if isinstance(came, ControlError):
                raise came
            yield came

    def waiting(self) -> Iterator[ServerEvent | None]:
        """What has come by now, None for the end of the stream. Raises ControlError."""
        while not self._came.empty():
            came = self._came.get()
            os.read(self._signs, 1)
            if isinstance(came, ControlError):
                raise came
            yield came

    def _read(self) -> None:
        try:
            with self._stream as events:
                self._opened.set()
                for event in events:
                    self._put(event)
        except ControlError as error:
            self._put(error)
        finally:
            self._put(None)
            os.close(self._sign)
            self._opened.set()

    def _put(self, came: ServerEvent | ControlError | None) -> None:
        self._came.put(came)
        with suppress(BrokenPipeError):  # nobody looks any more
            os.write(self._sign, b".")
