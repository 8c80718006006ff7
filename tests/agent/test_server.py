"""The agent socket: who gets in, what order and bounds hold, and what a bad client cannot do."""

import asyncio
import os
import socket
import stat
from pathlib import Path

import pytest
import structlog

from agent.client import FAILURE, REQUEST_IDENTITIES, SUCCESS, add_smartcard_key, comments, lock, sign_request
from agent.fake_application import PIN, FakeToken
from agent.fake_keys import p256_key
from agent.harness import Agent, StartAgent
from agent.verify import blob_of
from fob_daemon.agent.limits import MAX_MESSAGE, Limits
from fob_daemon.agent.server import AgentServer
from fob_daemon.agent.wire import frame, u32
from fob_daemon.sockets import ListenError

SIGN = sign_request(blob_of(p256_key()), b"what ssh signs")


class Client:
    """A program that is connected to an agent."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def ask(self, message: bytes) -> bytes:
        self.send(message)
        return await self.hear()

    def send(self, *messages: bytes) -> None:
        self.writer.write(b"".join(map(frame, messages)))

    async def hear(self) -> bytes:
        length = int.from_bytes(await self.reader.readexactly(4), "big")
        return await self.reader.readexactly(length)

    async def is_hung_up_on(self) -> bool:
        try:
            return await self.reader.read() == b""
        except ConnectionResetError:
            return True

    async def close(self) -> None:
        self.writer.close()
        await self.writer.wait_closed()


async def connect(agent: Agent) -> Client:
    return Client(*await asyncio.open_unix_connection(agent.path))


async def signing_client(agent: Agent, token: FakeToken) -> Client:
    """Logged in, with a request that waits for the person."""
    client = await connect(agent)
    await client.ask(add_smartcard_key("fob", PIN))
    token.approval.clear()
    client.send(SIGN)
    await token.signing.get()
    return client


async def test_a_client_and_its_application_come_and_go(start_agent: StartAgent, token: FakeToken) -> None:
    agent = await start_agent(token)
    client = await connect(agent)
    assert len(comments(await client.ask(REQUEST_IDENTITIES))) == 3
    assert (agent.peers[1].pid, agent.peers[1].uid) == (os.getpid(), os.getuid())
    assert agent.server.connection_count == 1
    await client.close()
    signing, listing = agent.applications
    await listing.closed.wait()
    assert agent.server.connection_count == 0
    assert not signing.closed.is_set()
    await agent.server.close()
    assert signing.closed.is_set(), "with the agent, its logins end"


async def test_only_its_user_may_connect_to_the_socket(start_agent: StartAgent, token: FakeToken) -> None:
    agent = await start_agent(token)
    assert stat.S_IMODE(agent.path.stat().st_mode) == 0o600
    await agent.server.close()
    assert not agent.path.exists()


async def test_another_user_is_sent_away(start_agent: StartAgent, token: FakeToken) -> None:
    agent = await start_agent(token, uids=frozenset({os.getuid() + 1}))
    with structlog.testing.capture_logs() as log:
        client = await connect(agent)
        assert await client.is_hung_up_on()
    assert [line["event"] for line in log] == ["agent.refused_user"]
    assert len(agent.applications) == 1
    await client.close()


async def test_connections_are_counted(start_agent: StartAgent, token: FakeToken) -> None:
    agent = await start_agent(token, limits=Limits(max_connections=2))
    first, second = await connect(agent), await connect(agent)
    await second.ask(REQUEST_IDENTITIES)
    third = await connect(agent)
    assert await third.is_hung_up_on()
    await first.close()
    await agent.applications[1].closed.wait()
    fourth = await connect(agent)
    assert len(comments(await fourth.ask(REQUEST_IDENTITIES))) == 3
    for client in (second, third, fourth):
        await client.close()


async def test_messages_are_answered_in_order(start_agent: StartAgent, token: FakeToken) -> None:
    agent = await start_agent(token)
    client = await connect(agent)
    client.send(add_smartcard_key("fob", PIN), SIGN, b"\xff", REQUEST_IDENTITIES, lock(b"x"), REQUEST_IDENTITIES)
    assert [(await client.hear())[0] for _ in range(6)] == [6, 14, 5, 12, 6, 12]
    await client.close()


async def test_a_slow_request_holds_up_only_its_own_connection(start_agent: StartAgent, token: FakeToken) -> None:
    agent = await start_agent(token)
    slow, quick = await connect(agent), await connect(agent)
    await quick.ask(add_smartcard_key("fob", PIN))
    token.approval.clear()
    slow.send(SIGN, REQUEST_IDENTITIES)
    await token.signing.get()
    assert len(comments(await quick.ask(REQUEST_IDENTITIES))) == 3
    token.approval.set()
    assert ((await slow.hear())[0], (await slow.hear())[0]) == (14, 12)
    await slow.close()
    await quick.close()


async def test_a_request_ends_by_its_deadline(start_agent: StartAgent, token: FakeToken) -> None:
    agent = await start_agent(token, limits=Limits(request_timeout=0.05))
    client = await connect(agent)
    await client.ask(add_smartcard_key("fob", PIN))
    token.approval.clear()
    assert await client.ask(SIGN) == FAILURE
    assert token.withdrawn.get_nowait() == "phone p256"
    token.approval.set()
    assert (await client.ask(SIGN))[0] == 14
    await client.close()


async def test_a_client_that_hangs_up_withdraws_its_request(start_agent: StartAgent, token: FakeToken) -> None:
    agent = await start_agent(token)
    client = await signing_client(agent, token)
    await client.close()
    assert await token.withdrawn.get() == "phone p256"


async def test_closing_the_agent_ends_what_is_under_way(start_agent: StartAgent, token: FakeToken) -> None:
    agent = await start_agent(token)
    client = await signing_client(agent, token)
    await agent.server.close()
    assert token.withdrawn.get_nowait() == "phone p256"
    assert await client.is_hung_up_on()
    await client.close()


@pytest.mark.parametrize("length", [0, MAX_MESSAGE + 1, 2 * 1024**3])
async def test_a_length_that_no_message_has_ends_the_connection(
    start_agent: StartAgent, token: FakeToken, length: int
) -> None:
    agent = await start_agent(token)
    bad, good = await connect(agent), await connect(agent)
    bad.writer.write(u32(length))
    assert await bad.is_hung_up_on()
    assert len(comments(await good.ask(REQUEST_IDENTITIES))) == 3
    await bad.close()
    await good.close()


async def test_the_longest_message_has_an_answer(start_agent: StartAgent, token: FakeToken) -> None:
    agent = await start_agent(token)
    client = await connect(agent)
    assert await client.ask(b"\xff" * MAX_MESSAGE) == FAILURE
    assert len(comments(await client.ask(REQUEST_IDENTITIES))) == 3
    await client.close()


async def test_a_client_that_never_listens_is_not_read_for_ever(start_agent: StartAgent, token: FakeToken) -> None:
    """Without bounds, its requests and the replies to them would fill the memory."""
    agent = await start_agent(token)
    greedy, other = await connect(agent), await connect(agent)
    many = frame(REQUEST_IDENTITIES) * 50_000
    sent = 0
    with socket.socket(socket.AF_UNIX) as raw:
        raw.connect(str(agent.path))
        raw.setblocking(False)
        stalled = 0
        while stalled < 50:
            try:
                sent += raw.send(many)
                stalled = 0
            except BlockingIOError:
                stalled += 1
                await asyncio.sleep(0.001)
        assert sent < 4 * MAX_MESSAGE
        assert len(comments(await other.ask(REQUEST_IDENTITIES))) == 3
    await greedy.close()
    await other.close()


async def test_an_inherited_socket_is_served_and_its_file_left(tmp_path: Path, token: FakeToken) -> None:
    path = tmp_path / "inherited"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        listener.setblocking(False)
        agent = Agent(path, [token], None, frozenset({os.getuid()}))
        await agent.server.listen(listener)
        client = await connect(agent)
        assert await client.ask(lock(b"x")) == SUCCESS
        await client.close()
        await agent.server.close()
    assert path.exists()


async def test_a_file_in_the_way(start_agent: StartAgent, tmp_path: Path) -> None:
    (tmp_path / "agent-0").write_text("")
    with pytest.raises(ListenError, match="not a socket"):
        await start_agent()


async def test_an_agent_that_never_listened_can_be_closed(token: FakeToken) -> None:
    agent = Agent(Path("unused"), [token], None, frozenset())
    assert isinstance(agent.server, AgentServer)
    await agent.server.close()
    assert agent.applications[0].closed.is_set()
