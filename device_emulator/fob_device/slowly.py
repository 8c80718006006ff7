"""Work on the token that takes its time: off the loop, one at a time."""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Slowly:
    """One for each token: whoever changes it, or derives a key from a PIN, waits for the one before."""

    _lock: asyncio.Lock = field(default_factory=asyncio.Lock, repr=False)

    async def __call__(self, work: Callable[[], T]) -> T:
        """What `work` returns or raises. Work that has begun is finished, and the next waits, also when cancelled."""
        async with self._lock:
            task = asyncio.ensure_future(asyncio.to_thread(work))
            try:
                return await asyncio.shield(task)
            except asyncio.CancelledError:
                await _ended(task)
                raise


async def _ended(task: asyncio.Task[T]) -> None:
    """Wait for it, however often whoever asked for it is cancelled; what became of it nobody hears any more."""
    while not task.done():
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.wait([task])
    if not task.cancelled():
        # Looked at, or the loop would report an error that nobody waits for.
        task.exception()
