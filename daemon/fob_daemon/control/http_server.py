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
    """Hangs up on whoever may not come in by `door`."""

    def __init__(self, handler: Handler, door: Door, limits: Limits) -> None:
        super().__init__(
            handler,
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
        self._door = door
        self._peers: dict[RequestHandler, PeerIdentity] = {}

    def peer(self, request: web.BaseRequest) -> PeerIdentity:
        """Who asks."""
        return self._peers[request.protocol]

    def connection_made(self, handler: RequestHandler, transport: asyncio.Transport) -> None:
        """Called by aiohttp."""
        super().connection_made(handler, transport)
        peer = self._door.admit(transport.get_extra_info("socket"), len(self._peers))
        if peer is None:
            transport.abort()
        else:
            self._peers[handler] = peer

    def connection_lost(self, handler: RequestHandler, exc: BaseException | None = None) -> None:
        """Called by aiohttp."""
        self._peers.pop(handler, None)
        super().connection_lost(handler, exc)
