"""Several requests for one meter at once are done one after another."""

import asyncio
from weakref import WeakValueDictionary


class Turns:
    """A lock for each meter that is in use just now."""

    def __init__(self) -> None:
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def of(self, serial: str) -> asyncio.Lock:
        """To be held while something is done with this meter."""
        lock = self._locks.get(serial)
        if lock is None:
            lock = self._locks[serial] = asyncio.Lock()
        return lock
