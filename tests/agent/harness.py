"""Agents with fake tokens: one without sockets, and a running server."""

import os
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from agent.fake_application import FakeApplication, FakeToken
from fob_daemon.agent.callers import Surroundings
from fob_daemon.agent.limits import Limits
from fob_daemon.agent.lock import AgentLock
from fob_daemon.agent.logins import AgentLogins
from fob_daemon.agent.server import AgentServer
from fob_daemon.agent.session import AgentSession, SharedState
from fob_daemon.cryptoki.interface import Application
from fob_daemon.peer import PeerIdentity

# What the machine's owner knows is no business of a test.
NO_KNOWN_HOSTS = Surroundings(known_hosts=lambda uid: ())

OWN_UID = frozenset({os.getuid()})

PEER = PeerIdentity(4242, 1000, 1000, "ssh-add", ("ssh-add", "-l"))
SSH = PeerIdentity(4243, 1000, 1000, "ssh", ("ssh", "host"))


class Desk:
    """An agent without sockets: connections are sessions that are asked directly."""

    def __init__(self, tokens: Sequence[FakeToken], surroundings: Surroundings = NO_KNOWN_HOSTS) -> None:
        self.tokens = tokens
        self.waits: list[float] = []
        self.signing = FakeApplication(tokens)
        self.logins = AgentLogins(self.signing.as_application())
        self.shared = SharedState(self.logins, AgentLock(self._wait), surroundings)

    def connect(self, peer: PeerIdentity = PEER) -> AgentSession:
        """A new connection."""
        return AgentSession(peer, FakeApplication(self.tokens).as_application(), self.shared)

    async def _wait(self, seconds: float) -> None:
        self.waits.append(seconds)


class Agent:
    """A running agent server, and what it made."""

    def __init__(
        self,
        path: Path,
        tokens: Sequence[FakeToken],
        limits: Limits | None,
        uids: frozenset[int],
        surroundings: Surroundings = NO_KNOWN_HOSTS,
    ) -> None:
        self.path = path
        self.tokens = tokens
        self.peers: list[PeerIdentity] = []
        self.applications: list[FakeApplication] = []
        self.server = AgentServer(self._make_application, allowed_uids=uids, limits=limits, surroundings=surroundings)

    def _make_application(self, peer: PeerIdentity) -> Application:
        self.peers.append(peer)
        self.applications.append(FakeApplication(self.tokens))
        return self.applications[-1].as_application()


StartAgent = Callable[..., Awaitable[Agent]]
