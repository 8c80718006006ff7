"""Agents with fake tokens."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from agent.fake_application import FakeToken
from agent.fake_keys import ed25519_key, p256_key, rsa_key
from agent.harness import NO_KNOWN_HOSTS, OWN_UID, Agent, Desk, StartAgent
from fob_daemon.agent.callers import Surroundings
from fob_daemon.agent.limits import Limits


@pytest.fixture
def token() -> FakeToken:
    """A token with an RSA, a P-256 and an Ed25519 key, and no PIN pad."""
    return FakeToken([rsa_key(), p256_key(), ed25519_key()])


@pytest.fixture
def desk(token: FakeToken) -> Desk:
    return Desk([token])


@pytest.fixture
async def start_agent(tmp_path: Path) -> AsyncIterator[StartAgent]:
    """Start agents; they are closed after the test."""
    started: list[Agent] = []

    async def start(
        *tokens: FakeToken,
        limits: Limits | None = None,
        uids: frozenset[int] = OWN_UID,
        surroundings: Surroundings = NO_KNOWN_HOSTS,
    ) -> Agent:
        agent = Agent(tmp_path / f"agent-{len(started)}", tokens, limits, uids, surroundings)
        await agent.server.listen(agent.path)
        started.append(agent)
        return agent

    yield start
    for agent in started:
        await agent.server.close()
