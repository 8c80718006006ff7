"""What a process does beside its answers. None of it fails unheard: then the process ends, and is started again."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import structlog

from fob_office.centre.bus.answering import place_of

log = structlog.get_logger(__name__)


class DutyEndedError(Exception):
    """An error of the program ended what should go on. The text is its name."""


@asynccontextmanager
async def duties(*works: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    """They go on for as long as the block does. One that fails breaks the block off, with a line of log.

    Raises DutyEndedError then.
    """
    block = asyncio.current_task()
    if block is None:
        raise RuntimeError("a process does its duties in a task")
    before = block.cancelling()
    failed: list[str] = []

    def ended(task: asyncio.Task[None]) -> None:
        if task.cancelled() or (error := task.exception()) is None:
            return
        # Without its text: it may hold what stands in the database.
        log.critical("a process has to end", work=task.get_name(), error=type(error).__name__, at=place_of(error))
        if not failed:
            block.cancel()
        failed.append(type(error).__name__)

    under_way = [asyncio.create_task(_done(work), name=getattr(work, "__qualname__", "")) for work in works]
    for task in under_way:
        task.add_done_callback(ended)
    try:
        yield
    except asyncio.CancelledError:
        if not failed or block.uncancel() > before:
            raise
        raise DutyEndedError(failed[0]) from None
    finally:
        for task in under_way:
            task.remove_done_callback(ended)
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)


async def _done(work: Callable[[], Awaitable[None]]) -> None:
    await work()
