"""Streams of server-sent events: written as they come, kept alive, bounded in number."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, TypeVar

from aiohttp import web

from fob_daemon.control.errors import ControlError, ExitCode
from fob_daemon.control.events import EventQueue
from fob_daemon.control.limits import Limits
from fob_daemon.control.sse import CONTENT_TYPE, HEARTBEAT, ServerEvent, encode_event

Event = TypeVar("Event")

_HEADERS: Final = {"Content-Type": CONTENT_TYPE, "Cache-Control": "no-store"}


class Streams:
    """Every stream under way."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._count = 0

    @contextmanager
    def room(self) -> Iterator[None]:
        """Room for one more stream. Raises ControlError (503) when there is none."""
        if self._count >= self._limits.max_streams:
            raise ControlError(
                "no more streams",
                f"{self._limits.max_streams} programs follow events or pair already",
                "the same command when one has ended",
                ExitCode.FAILED,
                status=503,
            )
        self._count += 1
        try:
            yield
        finally:
            self._count -= 1

    async def write(
        self,
        request: web.BaseRequest,
        queue: EventQueue[Event],
        form: Callable[[Event], ServerEvent],
        last: frozenset[str] = frozenset(),
    ) -> web.StreamResponse:
        """Write what comes into `queue` until an event of a name in `last`, or until the reader hangs up."""
        response = web.StreamResponse(headers=_HEADERS)
        await response.prepare(request)
        # At once, so that the reader knows that nothing is missed from here on.
        await response.write(HEARTBEAT)
        while True:
            try:
                async with asyncio.timeout(self._limits.heartbeat):
                    event, lost = await queue.get()
            except TimeoutError:
                await response.write(HEARTBEAT)
                continue
            if lost:
                await response.write(encode_event("lost", {"count": lost}))
            shown = form(event)
            await response.write(encode_event(shown.name, shown.data))
            if shown.name in last:
                return response
