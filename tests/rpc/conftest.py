"""A provider server with the fake engine, and clients that are closed after the test."""

import os
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from fob_daemon.peer import PeerIdentity
from fob_daemon.rpc.limits import Limits
from fob_daemon.rpc.server import ProviderServer
from rpc.conversation import RawClient
from rpc.fake_application import FakeApplication


class Provider:
    """A running server: its socket, its applications, and the peers they were made for."""

    def __init__(self, path: Path, limits: Limits | None = None, allowed_uids: frozenset[int] | None = None) -> None:
        self.path = path
        self.applications: list[FakeApplication] = []
        self.peers: list[PeerIdentity] = []
        uids = frozenset({os.getuid()}) if allowed_uids is None else allowed_uids
        self.server = ProviderServer(self._make_application, allowed_uids=uids, limits=limits)
        self.clients: list[RawClient] = []

    def _make_application(self, peer: PeerIdentity) -> FakeApplication:
        self.peers.append(peer)
        self.applications.append(FakeApplication())
        return self.applications[-1]

    async def connect(self) -> RawClient:
        """A client that has said nothing yet."""
        self.clients.append(await RawClient.connect(self.path))
        return self.clients[-1]

    async def client(self, version: int = 0) -> RawClient:
        """A client that has initialized."""
        self.clients.append(await RawClient.initialized(self.path, version))
        return self.clients[-1]

    async def close(self) -> None:
        for client in self.clients:
            await client.close()
        await self.server.close()


StartProvider = Callable[..., Awaitable[Provider]]


@pytest.fixture
async def start_provider(tmp_path: Path) -> AsyncIterator[StartProvider]:
    """Start a provider with other limits or other users than usual."""
    started: list[Provider] = []

    async def start(limits: Limits | None = None, allowed_uids: frozenset[int] | None = None) -> Provider:
        provider = Provider(tmp_path / f"provider-{len(started)}", limits, allowed_uids)
        await provider.server.listen(provider.path)
        started.append(provider)
        return provider

    yield start
    for provider in started:
        await provider.close()


@pytest.fixture
async def provider(start_provider: StartProvider) -> Provider:
    """A provider as it usually is."""
    return await start_provider()
