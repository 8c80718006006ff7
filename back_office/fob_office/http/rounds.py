"""What roles do by themselves, while a worker serves: one after the other, in a thread, once a minute."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Final

import structlog
from anyio import to_thread

from fob_office.database.session import CANNOT_NOW
from fob_office.office import Office

log = structlog.get_logger(__name__)

# Seconds. Nothing of it is urgent; what was not done is done the next time.
PAUSE: Final = 60.0


@asynccontextmanager
async def going_round(
    office: Office, rounds: Sequence[Callable[[Office], None]], pause: float = PAUSE
) -> AsyncIterator[None]:
    """While it is open. What is under way at its end is waited for."""
    task = asyncio.create_task(_go_round(office, rounds, pause))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _go_round(office: Office, rounds: Sequence[Callable[[Office], None]], pause: float) -> None:
    while True:
        await asyncio.sleep(pause)
        for one in rounds:
            try:
                await to_thread.run_sync(one, office)
            except CANNOT_NOW as error:
                log.warning("database cannot answer", error=type(error).__name__)
            except Exception:
                log.exception("fault", round=one.__name__)
