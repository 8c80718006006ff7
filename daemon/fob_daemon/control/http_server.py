"""aiohttp's server with a door: who may connect, how many, and who each of them is."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web
from aiohttp.web_protocol import RequestHandler

from fob_daemon.control.limits import MAX_HEADER, MAX_HEADERS, MAX_LINE, Limits
from fob_daemon.peer import PeerIdentity
from fob_daemon.sockets import Door

# What aiohttp would log of a malformed request is that request, and a PIN may be in it.
_SILENT: Final = logging.Logger("fob_daemon.control.silent", logging.CRITICAL + 1)

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


class HttpServer(web.Server):
    """Hangs up on whoever may not come in by `door`, and in a full house on who has been idle longest."""

    def __init__(self, handler: Handler, door: Door, limits: Limits) -> None:
        super().__init__(
            self._answer,
            # Whoever hangs up withdraws what was asked: a question on the phone goes away.
            handler_cancellation=True,
            access_log=None,
            logger=_SILENT,
            keepalive_timeout=limits.idle_time,
            lingering_time=limits.stop_time,
            max_line_size=MAX_LINE,
            max_headers=MAX_HEADERS,
            max_field_size=MAX_HEADER,
            auto_decompress=False,
        )
        self._handler = handler
        self._door = door
        self._peers: dict[RequestHandler, PeerIdentity] = {}
        # Connections without a request under way, the longest idle first.
        self._idle: dict[RequestHandler, asyncio.Transport] = {}

    def peer(self, request: web.BaseRequest) -> PeerIdentity:
        """Who asks."""
        return self._peers[request.protocol]

    def connection_made(self, handler: RequestHandler, transport: asyncio.Transport) -> None:
        """Called by aiohttp."""
        super().connection_made(handler, transport)
        peer = self._door.admit(transport.get_extra_info("socket"), len(self._peers), self._end_longest_idle)
        if peer is None:
            transport.abort()
        else:
            self._peers[handler] = peer
            self._idle[handler] = transport

    def connection_lost(self, handler: RequestHandler, exc: BaseException | None = None) -> None:
        """Called by aiohttp."""
        self._forget(handler)
        super().connection_lost(handler, exc)

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        transport = self._idle.pop(request.protocol, None)
        if transport is None:
            raise ConnectionResetError("it made room before its request was looked at")
        try:
            return await self._handler(request)
        finally:
            if request.protocol in self._peers:
                self._idle[request.protocol] = transport

    def _end_longest_idle(self) -> bool:
        """In a full house who only sits there makes room: `fob status` is answered whoever came before."""
        longest_idle = next(iter(self._idle), None)
        if longest_idle is None:
            return False
        self._idle[longest_idle].abort()
        self._forget(longest_idle)
        return True

    def _forget(self, handler: RequestHandler) -> None:
        self._peers.pop(handler, None)
        self._idle.pop(handler, None)
