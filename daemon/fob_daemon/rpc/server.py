"""The provider socket: who may connect, and one application for each program that does."""

import asyncio
import socket
from collections.abc import Set
from pathlib import Path

from fob_daemon.peer import PeerIdentity
from fob_daemon.rpc.connection import ApplicationFactory, Connection
from fob_daemon.rpc.limits import Limits
from fob_daemon.sockets import Door


class ProviderServer:
    """Serves the p11-kit RPC protocol to the users `allowed_uids`; every connection is one Cryptoki application."""

    def __init__(
        self, make_application: ApplicationFactory, *, allowed_uids: Set[int], limits: Limits | None = None
    ) -> None:
        self._make_application = make_application
        self._limits = limits or Limits()
        self._connections: set[Connection] = set()
        self._door = Door("rpc", allowed_uids, self._limits.max_connections)

    @property
    def connection_count(self) -> int:
        """How many programs are connected."""
        return len(self._connections)

    async def listen(self, where: Path | socket.socket) -> None:
        """Serve at a path, or on a listening socket that was inherited. Raises ListenError for a path."""
        loop = asyncio.get_running_loop()
        await self._door.listen(where, lambda listener: loop.create_server(self._new_connection, sock=listener))

    async def close(self) -> None:
        """Stop listening, hang up on everyone, and remove the socket files that were made here."""
        self._door.close()
        for connection in tuple(self._connections):
            await connection.close()
        await self._door.wait_closed()

    def _new_connection(self) -> Connection:
        return Connection(self._limits, self._make_application, self._admit, self._connections.discard)

    def _admit(self, connection: Connection, peer_socket: socket.socket) -> PeerIdentity | None:
        peer = self._door.admit(peer_socket, len(self._connections))
        if peer is not None:
            self._connections.add(connection)
        return peer
