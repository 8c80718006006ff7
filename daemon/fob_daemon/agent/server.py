"""The agent socket: who may connect, and one session for each program that does."""

import asyncio
import os
import socket
from collections.abc import Callable, Set
from pathlib import Path

from fob_daemon.agent.callers import Surroundings
from fob_daemon.agent.connection import Connection
from fob_daemon.agent.limits import Limits
from fob_daemon.agent.lock import AgentLock
from fob_daemon.agent.logins import AgentLogins
from fob_daemon.agent.session import AgentSession, SharedState
from fob_daemon.cryptoki.interface import Application
from fob_daemon.peer import PeerIdentity
from fob_daemon.sockets import Door

ApplicationFactory = Callable[[PeerIdentity], Application]


class AgentServer:
    """Serves the agent protocol to the users `allowed_uids`.

    Every connection sees the keys of an application of its own; signatures are made by one that belongs to the agent,
    whose login they share.
    """

    def __init__(
        self,
        make_application: ApplicationFactory,
        *,
        allowed_uids: Set[int],
        limits: Limits | None = None,
        surroundings: Surroundings | None = None,
    ) -> None:
        self._make_application = make_application
        self._limits = limits or Limits()
        self._shared = SharedState(
            AgentLogins(make_application(_own_identity())), AgentLock(), surroundings or Surroundings()
        )
        self._connections: set[Connection] = set()
        self._all_ended = asyncio.Event()
        self._all_ended.set()
        self._door = Door("agent", allowed_uids, self._limits.max_connections)

    @property
    def connection_count(self) -> int:
        """How many programs are connected."""
        return len(self._connections)

    async def listen(self, where: Path | socket.socket) -> None:
        """Serve at a path, or on a listening socket that was inherited. Raises ListenError for a path."""
        loop = asyncio.get_running_loop()
        await self._door.listen(where, lambda listener: loop.create_server(self._new_connection, sock=listener))

    async def unlock(self, slot: int) -> bool:
        """Take part in the login that `fob unlock` holds; False when the agent had one. Raises CkrError."""
        return await self._shared.logins.join(slot)

    async def lock(self, slot: int) -> bool:
        """End the agent's login; False when it had none. Raises CkrError."""
        return await self._shared.logins.logout(slot)

    async def close(self) -> None:
        """Stop listening, hang up on everyone, end the logins, and remove the socket files that were made here."""
        self._door.close()
        for connection in tuple(self._connections):
            connection.close()
        await self._all_ended.wait()
        self._shared.logins.close()
        await self._door.wait_closed()

    def _new_connection(self) -> Connection:
        return Connection(self._limits, self._admit, self._connection_ended)

    def _admit(self, connection: Connection, peer_socket: socket.socket) -> AgentSession | None:
        peer = self._door.admit(peer_socket, len(self._connections))
        if peer is None:
            return None
        session = AgentSession(peer, self._make_application(peer), self._shared)
        self._connections.add(connection)
        self._all_ended.clear()
        return session

    def _connection_ended(self, connection: Connection) -> None:
        self._connections.discard(connection)
        if not self._connections:
            self._all_ended.set()


def _own_identity() -> PeerIdentity:
    """Signatures are the agent's own requests to the engine."""
    return PeerIdentity(os.getpid(), os.getuid(), os.getgid(), "ssh-agent", ())
