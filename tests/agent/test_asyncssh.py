"""asyncssh as a second client: another reading of the same protocol."""

from collections.abc import AsyncIterator

import asyncssh
import pytest
from asyncssh.agent import SSHAgentClient, SSHAgentKeyPair

from agent.fake_application import PIN, FakeToken
from agent.fake_keys import FakeKey, ed25519_key, p256_key, rsa_key
from agent.harness import StartAgent

DATA = b"what ssh signs"


@pytest.fixture
async def client(start_agent: StartAgent, token: FakeToken) -> AsyncIterator[SSHAgentClient]:
    agent = await start_agent(token)
    connected = await asyncssh.connect_agent(str(agent.path))
    yield connected
    connected.close()
    await connected.wait_closed()


async def test_keys_are_listed(client: SSHAgentClient) -> None:
    assert [pair.get_comment() for pair in await client.get_keys()] == ["phone rsa", "phone p256", "phone ed25519"]


@pytest.mark.parametrize("key", [rsa_key(), p256_key(), ed25519_key()], ids=lambda key: key.label)
async def test_a_signature_verifies(client: SSHAgentClient, token: FakeToken, key: FakeKey) -> None:
    await client.add_smartcard_keys("fob", PIN.decode())
    pair = next(pair for pair in await client.get_keys() if pair.get_comment() == key.label)
    for algorithm in pair.sig_algorithms:
        if algorithm == b"ssh-rsa":
            continue  # SHA-1
        assert isinstance(pair, SSHAgentKeyPair)
        pair.set_sig_algorithm(algorithm)
        signature = await pair.sign_async(DATA)
        assert asyncssh.import_public_key(key.line).verify(DATA, signature)
    assert token.link[0] == "login"


async def test_refusals_reach_the_caller(client: SSHAgentClient) -> None:
    with pytest.raises(ValueError, match="Unable to add keys"):
        await client.add_smartcard_keys("fob", "999999")
    with pytest.raises(ValueError, match="Unable to remove all keys"):
        await client.remove_all()


async def test_it_locks_and_unlocks(client: SSHAgentClient) -> None:
    await client.lock("sesame")
    assert list(await client.get_keys()) == []
    await client.unlock("sesame")
    assert len(list(await client.get_keys())) == 3
    await client.add_smartcard_keys("fob", PIN.decode())
    await client.remove_smartcard_keys("fob", "")
