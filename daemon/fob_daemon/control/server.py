"""The control socket: it listens at once, and what serves it is loaded for the first program that comes."""

import asyncio
import secrets
import socket
import sys
from collections.abc import Callable, Set
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import structlog

from fob_daemon.control.interface import DaemonView
from fob_daemon.control.limits import Limits
from fob_daemon.sockets import Door

if TYPE_CHECKING:
    from fob_daemon.control.http_api import HttpApi

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

# From Python 3.13 on an event loop removes the file of a socket that it closes. An inherited one is systemd's, which
# goes on listening there.
KEEP_FILE: Final[dict[str, Any]] = {"cleanup_socket": False} if sys.version_info >= (3, 13) else {}


class ControlServer:
    """Serves the API to the users `allowed_uids`. `random` gives ids for keys and pairings."""

    def __init__(
        self,
        daemon: DaemonView,
        *,
        allowed_uids: Set[int],
        limits: Limits | None = None,
        random: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        self._daemon = daemon
        self._limits = limits or Limits()
        self._random = random
        self._door = Door("control", allowed_uids, self._limits.max_connections)
        self._api: HttpApi | None = None
        self._opening: asyncio.Task[None] | None = None

    async def listen(self, where: Path | socket.socket) -> None:
        """Serve at a path, or on a listening socket that was inherited. Raises ListenError for a path."""
        await self._door.listen(where, self._open_later)

    async def close(self) -> None:
        """Stop listening, end every request and held login, and remove the socket files that were made here."""
        if self._opening is not None:
            # First: it watches a socket that the door closes.
            self._opening.cancel()
            await asyncio.wait((self._opening,))
        self._door.close()
        if self._api is not None:
            await self._api.close()
        await self._door.wait_closed()

    async def _open_later(self, listener: socket.socket) -> asyncio.Server:
        """A server that does not accept yet; who comes before it does waits in the backlog."""
        loop = asyncio.get_running_loop()
        server = await loop.create_unix_server(self._new_connection, sock=listener, start_serving=False, **KEEP_FILE)
        self._opening = loop.create_task(self._open(server, listener))
        return server

    async def _open(self, server: asyncio.Server, listener: socket.socket) -> None:
        """aiohttp is a third of the daemon's start and of its memory; a daemon that only signs never loads it."""
        await _somebody_comes(listener)
        try:
            # In a thread: signatures go on meanwhile.
            make_api = await asyncio.to_thread(_load)
        except ImportError as error:
            _log.error("control.not_served", why=str(error))
            return
        self._api = make_api(self._daemon, self._door, self._limits, self._random)
        await server.start_serving()

    def _new_connection(self) -> asyncio.Protocol:
        if self._api is None:
            raise RuntimeError("a connection was taken before the API was there")
        return self._api.new_connection()


def _load() -> "type[HttpApi]":
    from fob_daemon.control.http_api import HttpApi

    return HttpApi


async def _somebody_comes(listener: socket.socket) -> None:
    """Wait for a connection without taking it."""
    loop = asyncio.get_running_loop()
    came = asyncio.Event()
    loop.add_reader(listener, came.set)
    try:
        await came.wait()
    finally:
        loop.remove_reader(listener)
