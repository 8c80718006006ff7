"""Several requests for one meter, or one mailer, at once are done one after another."""

import asyncio
from weakref import WeakValueDictionary


class Turns:
    """A lock for each that is in use just now."""

    def __init__(self) -> None:
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def of(self, name: str) -> asyncio.Lock:
        """To be held while something is done with it."""
        lock = self._locks.get(name)
        if lock is None:
            lock = self._locks[name] = asyncio.Lock()
        return lock
