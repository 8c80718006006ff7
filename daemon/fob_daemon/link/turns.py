"""Whose turn it is among the lines to one device: one carries the session, the others stand by."""

import asyncio


class Turns:
    """Lines are known by their rank: 0 is preferred to all others."""

    def __init__(self) -> None:
        self._holder: int | None = None
        self._waiting: dict[int, asyncio.Event] = {}
        self._claimed = asyncio.Event()

    async def take(self, rank: int) -> None:
        """Wait for the turn; whoever called this calls `leave` afterwards, also when it was cancelled."""
        mine = self._waiting[rank] = asyncio.Event()
        if self._holder is None:
            self._pass_on()
        elif rank < self._holder:
            self._claimed.set()
        await mine.wait()

    def leave(self, rank: int) -> None:
        """Give the turn back, or wait for it no longer."""
        self._waiting.pop(rank, None)
        if self._holder == rank:
            self._pass_on()

    async def claimed(self) -> None:
        """Wait until a line that is preferred to the holder's wants the turn."""
        await self._claimed.wait()

    def _pass_on(self) -> None:
        self._claimed.clear()
        self._holder = min(self._waiting, default=None)
        if self._holder is not None:
            self._waiting.pop(self._holder).set()
