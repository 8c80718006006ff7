"""Heavy arithmetic leaves the event loop; small arithmetic stays, because a thread halves its rate."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from fob_daemon.cryptoki.limits import INLINE_LIMIT

T = TypeVar("T")


async def compute(size: int, work: Callable[[], T]) -> T:
    """What `work` gives, in a thread when it works on more than INLINE_LIMIT octets."""
    if size <= INLINE_LIMIT:
        return work()
    return await asyncio.to_thread(work)
