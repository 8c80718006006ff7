"""The provider socket: who may connect, and one application for each program that does."""

import asyncio
import os
import socket
from collections.abc import Set
from pathlib import Path

import structlog

from fob_daemon.peer import PeerIdentity, peer_identity
from fob_daemon.rpc.connection import ApplicationFactory, Connection
from fob_daemon.rpc.limits import Limits
from fob_daemon.rpc.listener import bind_unix_socket

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


class ProviderServer:
    """Serves the p11-kit RPC protocol to the users `allowed_uids`; every connection is one Cryptoki application."""

    def __init__(
        self, make_application: ApplicationFactory, *, allowed_uids: Set[int], limits: Limits | None = None
    ) -> None:
        self._make_application = make_application
        self._allowed_uids = frozenset(allowed_uids)
        self._limits = limits or Limits()
        self._connections: set[Connection] = set()
        self._servers: list[asyncio.Server] = []
        self._own_files: list[tuple[Path, int]] = []

    @property
    def connection_count(self) -> int:
        """How many programs are connected."""
        return len(self._connections)

    async def listen(self, where: Path | socket.socket) -> None:
        """Serve at a path, or on a listening socket that was inherited. Raises ListenError for a path."""
        listener = self._bind(where) if isinstance(where, Path) else where
        server = await asyncio.get_running_loop().create_server(self._new_connection, sock=listener)
        self._servers.append(server)

    async def close(self) -> None:
        """Stop listening, hang up on everyone, and remove the socket files that were made here."""
        for server in self._servers:
            server.close()
        for connection in tuple(self._connections):
            await connection.close()
        for path, inode in self._own_files:
            _remove_own(path, inode)
        for server in self._servers:
            await server.wait_closed()
        self._servers.clear()
        self._own_files.clear()

    def _bind(self, path: Path) -> socket.socket:
        listener = bind_unix_socket(path)
        self._own_files.append((path, path.lstat().st_ino))
        return listener

    def _new_connection(self) -> Connection:
        return Connection(self._limits, self._make_application, self._admit, self._connections.discard)

    def _admit(self, connection: Connection, peer_socket: socket.socket) -> PeerIdentity | None:
        peer = peer_identity(peer_socket)
        if peer.uid not in self._allowed_uids:
            _log.warning("rpc.refused_user", uid=peer.uid, pid=peer.pid, program=peer.program)
            return None
        if len(self._connections) >= self._limits.max_connections:
            _log.warning("rpc.too_many_connections", limit=self._limits.max_connections, program=peer.program)
            return None
        self._connections.add(connection)
        return peer


def _remove_own(path: Path, inode: int) -> None:
    """Another daemon may have put its own socket there."""
    try:
        if path.lstat().st_ino == inode:
            os.unlink(path)
    except FileNotFoundError:
        pass
