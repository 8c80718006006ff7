"""Work that nobody waits for: a sync, a late logout, a file to write."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from fob_protocol.pkcs11.errors import CkrError

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


class Background:
    """Tasks of one slot; a refusal is logged and heals with the next event, session or operation."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def run(self, what: str, work: Callable[[], Awaitable[object]]) -> None:
        """Start `work`; `what` names it in the log."""
        task = asyncio.get_running_loop().create_task(self._quietly(what, work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def idle(self) -> None:
        """Wait until all that was started has ended."""
        while self._tasks:
            await asyncio.wait(set(self._tasks))

    async def close(self) -> None:
        """Withdraw what is under way."""
        for task in set(self._tasks):
            task.cancel()
        await self.idle()

    async def _quietly(self, what: str, work: Callable[[], Awaitable[object]]) -> None:
        try:
            await work()
        except CkrError as error:
            _log.info("device.background_failed", what=what, error=str(error))
