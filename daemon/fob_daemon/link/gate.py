"""The gate before a link: requests pass it one after the other, and wait at it while a pairing has the line."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager


class Gate:
    """Open at first."""

    def __init__(self) -> None:
        self._open = asyncio.Event()
        self._open.set()
        self._idle = asyncio.Event()
        self._idle.set()
        self._inside = 0

    @property
    def is_shut(self) -> bool:
        """True while requests have to wait."""
        return not self._open.is_set()

    @property
    def is_idle(self) -> bool:
        """True when no request is under way that passed."""
        return self._idle.is_set()

    def shut(self) -> None:
        """Requests wait from now on; those that passed go on."""
        self._open.clear()

    def open(self) -> None:
        """Whoever waits goes on."""
        self._open.set()

    async def opened(self) -> None:
        """Wait until a request may pass."""
        while self.is_shut:
            await self._open.wait()

    async def idle(self) -> None:
        """Wait until every request that passed has ended."""
        await self._idle.wait()

    @contextmanager
    def passed(self) -> Iterator[None]:
        """A request is under way in the `with` block."""
        self._inside += 1
        self._idle.clear()
        try:
            yield
        finally:
            self._inside -= 1
            if not self._inside:
                self._idle.set()
