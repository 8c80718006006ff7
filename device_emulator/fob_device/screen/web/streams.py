"""Tells open pages that something changed (server-sent events; WHATWG HTML, section 9.2). They look for themselves."""

import asyncio
from collections.abc import Callable
from typing import Final

from aiohttp import web

from fob_device.listeners import Listeners
from fob_device.screen.web.door import HEADERS
from fob_device.screen.web.limits import HEARTBEAT, STREAMS_LIMIT
from fob_device.screen.web.words import MINUTE

_HEARTBEAT: Final = b":\n\n"
_CHANGED: Final = b"event: changed\ndata: 1\n\n"


class Streams:
    """At most STREAMS_LIMIT. `wall_clock`: what the page's clock shows, in seconds."""

    def __init__(self, on_change: Listeners, wall_clock: Callable[[], float]) -> None:
        self._on_change = on_change
        self._wall_clock = wall_clock
        self._count = 0

    @property
    def are_full(self) -> bool:
        """Whether there is no room for another."""
        return self._count >= STREAMS_LIMIT

    async def serve(self, request: web.BaseRequest) -> web.StreamResponse:
        """A stream, until its page is closed; an event for what changed since the last, and for each new minute."""
        response = web.StreamResponse(headers=HEADERS | {"Content-Type": "text/event-stream"})
        changed = asyncio.Event()
        # A page that was rendered before this stream may have missed something.
        changed.set()
        stop_listening = self._on_change.add(changed.set)
        self._count += 1
        try:
            await response.prepare(request)
            while True:
                await response.write(_CHANGED if await self._wait(changed) else _HEARTBEAT)
        finally:
            self._count -= 1
            stop_listening()

    async def _wait(self, changed: asyncio.Event) -> bool:
        """True when the page shows something else now; False when it is time for a sign of life."""
        minute = MINUTE - self._wall_clock() % MINUTE
        try:
            async with asyncio.timeout(min(minute, HEARTBEAT)):
                await changed.wait()
        except TimeoutError:
            return minute <= HEARTBEAT
        changed.clear()
        return True
