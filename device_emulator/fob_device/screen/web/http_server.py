"""aiohttp's server with a bound on connections."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web
from aiohttp.web_protocol import RequestHandler

from fob_device.screen.web.limits import (
    CONNECTIONS_LIMIT,
    HEADER_LIMIT,
    HEADERS_LIMIT,
    IDLE_TIME,
    LINE_LIMIT,
    STOP_TIME,
)

# What aiohttp would log of a request is that request: it has the token, and may have a PIN.
_SILENT: Final = logging.Logger("fob_device.screen.web.silent", logging.CRITICAL + 1)

Answer = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


class HttpServer(web.Server):
    """Full, it hangs up on who has been idle longest; whoever is being answered stays."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(
            self._answer_one,
            # A page that is closed ends its stream of events.
            handler_cancellation=True,
            access_log=None,
            logger=_SILENT,
            keepalive_timeout=IDLE_TIME,
            lingering_time=STOP_TIME,
            max_line_size=LINE_LIMIT,
            max_headers=HEADERS_LIMIT,
            max_field_size=HEADER_LIMIT,
            auto_decompress=False,
        )
        self._answer = answer
        self._count = 0
        # Connections without a request under way, the longest idle first.
        self._idle: dict[RequestHandler, asyncio.Transport] = {}

    def connection_made(self, handler: RequestHandler, transport: asyncio.Transport) -> None:
        """Called by aiohttp."""
        super().connection_made(handler, transport)
        self._count += 1
        if self._count > CONNECTIONS_LIMIT:
            longest_idle = next(iter(self._idle), None)
            (transport if longest_idle is None else self._idle.pop(longest_idle)).abort()
        if not transport.is_closing():
            self._idle[handler] = transport

    def connection_lost(self, handler: RequestHandler, exc: BaseException | None = None) -> None:
        """Called by aiohttp."""
        self._count -= 1
        self._idle.pop(handler, None)
        super().connection_lost(handler, exc)

    async def _answer_one(self, request: web.BaseRequest) -> web.StreamResponse:
        transport = self._idle.pop(request.protocol, None)
        if transport is None:
            raise ConnectionResetError("it made room before its request was looked at")
        try:
            return await self._answer(request)
        finally:
            if not transport.is_closing():
                self._idle[request.protocol] = transport
