"""Who wants to hear of new entries, on the loop where they listen; entries come from threads too."""

import asyncio
import contextlib
import threading

from fob_device.listeners import Listener


class Watchers:
    """`tell` comes in the middle of a transaction: who then reads the file waits for its end."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._watching: list[tuple[asyncio.AbstractEventLoop, Listener]] = []

    def add(self, listener: Listener) -> Listener:
        """From now on `listener` is told; what comes back ends that."""
        watching = (asyncio.get_running_loop(), listener)
        with self._lock:
            self._watching.append(watching)

        def stop() -> None:
            with self._lock:
                self._watching.remove(watching)

        return stop

    def tell(self) -> None:
        """There is something new, or will be in a moment."""
        with self._lock:
            watching = list(self._watching)
        for loop, listener in watching:
            # A loop that has ended has nobody left who listens.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(listener)
