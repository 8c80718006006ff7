"""A slow serial line: a pseudo-terminal in front of another one, at ten bits per octet in both directions."""

import os
import pty
import select
import threading
import tty
from collections import deque
from pathlib import Path
from time import monotonic
from typing import Final

BITS_PER_OCTET: Final = 10
READ_SIZE: Final = 4096

# Octets on their way are handed over at least this often; the last one of a burst at its own time.
STEP: Final = 0.001

# A thread looks this often whether the line was closed.
IDLE: Final = 0.2


class Pacer:
    """When each octet of one direction has arrived: one follows the other, each in its time on the wire."""

    def __init__(self, baud: int) -> None:
        self._octet_time = BITS_PER_OCTET / baud
        self._free_at = 0.0
        self._queue: deque[tuple[float, bytes]] = deque()

    def put(self, data: bytes, now: float) -> None:
        """Octets enter the wire."""
        at = max(now, self._free_at)
        for place in range(len(data)):
            at += self._octet_time
            self._queue.append((at, data[place : place + 1]))
        self._free_at = at

    def take(self, now: float) -> bytes:
        """The octets that are across."""
        across = bytearray()
        while self._queue and self._queue[0][0] <= now:
            across += self._queue.popleft()[1]
        return bytes(across)

    def wait(self, now: float) -> float:
        """Seconds until it is worth to `take` again."""
        return min(max(self._free_at - now, 0.0), STEP) if self._queue else IDLE


class PacedLine:
    """Stands between the serial device at `far` and a new one at `near`. Use as a context manager."""

    def __init__(self, far: Path, near: Path, baud: int) -> None:
        self._far = os.open(far, os.O_RDWR | os.O_NOCTTY)
        self._master, self._slave = pty.openpty()
        for descriptor in (self._far, self._slave):
            tty.setraw(descriptor)
        self._near = near
        self._closing = threading.Event()
        self._threads = [
            threading.Thread(target=self._carry, args=(source, target, Pacer(baud)))
            for source, target in ((self._master, self._far), (self._far, self._master))
        ]

    def __enter__(self) -> "PacedLine":
        self._near.symlink_to(os.ttyname(self._slave))
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._closing.set()
        for thread in self._threads:
            thread.join()
        self._near.unlink()
        for descriptor in (self._far, self._master, self._slave):
            os.close(descriptor)

    def _carry(self, source: int, target: int, pacer: Pacer) -> None:
        while not self._closing.is_set():
            readable, _, _ = select.select((source,), (), (), pacer.wait(monotonic()))
            if readable:
                pacer.put(os.read(source, READ_SIZE), monotonic())
            across = pacer.take(monotonic())
            if across:
                os.write(target, across)
