"""What a client may use up: every bound, and what happens at it. Another client never notices."""

import asyncio
import os
import resource

import pytest

from fob_daemon.rpc.frames import FrameReader, FrameTooLargeError
from fob_daemon.rpc.limits import MIB, Limits
from fob_protocol.pkcs11.ckr import Ckr
from rpc.conftest import Provider, StartProvider
from rpc.conversation import IDS, ay, error, fy, reply, request, u, u32
from rpc.fake_application import EC_PRIVATE, PIN, SLOT

INFO = request("C_GetSlotList", b"\x01", u32(0))
INFO_REPLY = reply("C_GetSlotList", b"\x00" + u32(1))


async def test_an_announcement_of_2_gb_is_hung_up_on(provider: Provider) -> None:
    bystander, client = await provider.client(), await provider.client()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    client.writer.write(u32(0x11) + u32(0) + u32(2**31) + b"x" * 1000)
    assert await client.is_closed()
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 8 * 1024  # KiB
    assert provider.applications[1].closed == 1
    assert await bystander.call(INFO) == INFO_REPLY


@pytest.mark.parametrize("header", [(1, 5, 0), (1, 0, 101), (1, 2**32 - 1, 2**32 - 1)])
def test_the_frame_reader_refuses_at_the_header(header: tuple[int, int, int]) -> None:
    frames = FrameReader(max_options=4, max_body=100)
    frames.feed(memoryview(b"".join(map(u32, header))))
    with pytest.raises(FrameTooLargeError):
        frames.next_frame()


def test_the_frame_reader_takes_what_just_fits() -> None:
    frames = FrameReader(max_options=4, max_body=100)
    frames.feed(memoryview(u32(7) + u32(4) + u32(100) + b"opts" + b"b" * 100 + u32(8)))
    assert frames.next_frame() == (7, b"b" * 100)
    assert frames.next_frame() is None


async def test_the_largest_body_is_served(start_provider: StartProvider) -> None:
    provider = await start_provider(Limits(max_body=MIB))
    client = await provider.client()
    session = await client.open_session(SLOT)
    overhead = len(request("C_Digest", u(session), ay(b""), fy(32)))
    answer = await client.call(request("C_Digest", u(session), ay(b"x" * (MIB - overhead)), fy(32)))
    assert answer.startswith(reply("C_Digest", b"\x01" + u32(32)))


async def test_too_many_calls_under_way(start_provider: StartProvider) -> None:
    provider = await start_provider(Limits(max_pending_calls=2))
    client = await provider.client()
    for _ in range(2):
        client.send(request("C_WaitForSlotEvent", u(0)))
    assert await client.call(request("C_WaitForSlotEvent", u(0))) == error(Ckr.HOST_MEMORY)
    # Calls that do not wait are served all the same.
    assert await client.call(INFO) == INFO_REPLY


async def test_no_more_is_read_while_too_much_waits(start_provider: StartProvider) -> None:
    """The second request is left alone until the first is answered; then everything goes on."""
    provider = await start_provider(Limits(max_pending_input=1000))
    client = await provider.client()
    session = await client.open_session(SLOT)
    application = provider.applications[0]
    application.approval.clear()
    assert await client.call(request("C_Login", u(session), u(1), ay(PIN))) == reply("C_Login")
    sign_init = request("C_SignInit", u(session), u32(1) + b"\xff\xff\xff\xff", u(EC_PRIVATE))
    assert await client.call(sign_init) == reply("C_SignInit")

    sign = client.send(request("C_Sign", u(session), ay(b"d" * 2000), fy(64)))
    info = client.send(INFO)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await client.receive()
    application.approval.set()
    answers = dict([await client.receive(), await client.receive()])
    assert answers.keys() == {sign, info}
    assert answers[sign] == error(Ckr.DATA_LEN_RANGE)
    assert answers[info] == INFO_REPLY


async def test_a_client_that_does_not_read_is_not_read_either(start_provider: StartProvider) -> None:
    """Replies pile up only to the bound of the socket and the transport, not with every request."""
    provider = await start_provider()
    client, bystander = await provider.client(), await provider.client()
    client.writer.transport.pause_reading()  # type: ignore[attr-defined]
    mechanisms = request("C_GetTokenInfo", u(SLOT))
    frame = u32(0x11) + u32(0) + u32(len(mechanisms)) + mechanisms
    client.writer.write(frame * 20_000)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await client.writer.drain()
    assert await bystander.call(INFO) == INFO_REPLY
    client.writer.transport.resume_reading()  # type: ignore[attr-defined]
    for _ in range(20_000):
        code, body = await client.receive()
        assert code == 0x11
        assert body.startswith(u32(IDS["C_GetTokenInfo"]))


async def test_replies_that_nobody_reads_end_the_connection(start_provider: StartProvider) -> None:
    provider = await start_provider(Limits(max_pending_output=MIB))
    client = await provider.client()
    session = await client.open_session(SLOT)
    client.writer.transport.pause_reading()  # type: ignore[attr-defined]
    for _ in range(8):
        client.send(request("C_GenerateRandom", u(session), fy(MIB)))
    client.writer.transport.resume_reading()  # type: ignore[attr-defined]
    assert await client.is_closed()
    assert provider.applications[0].closed == 1


async def test_a_client_that_never_offers_a_version(start_provider: StartProvider) -> None:
    provider = await start_provider(Limits(handshake_timeout=0.01))
    client = await provider.connect()
    assert await client.is_closed()
    assert provider.server.connection_count == 0


async def test_only_so_many_connections(start_provider: StartProvider) -> None:
    provider = await start_provider(Limits(max_connections=2))
    first, _ = await provider.client(), await provider.client()
    third = await provider.connect()
    assert await third.is_closed()
    await first.close()
    await provider.applications[0].gone.wait()
    assert await (await provider.client()).call(INFO) == INFO_REPLY


async def test_other_users_are_hung_up_on(start_provider: StartProvider) -> None:
    provider = await start_provider(allowed_uids=frozenset({os.getuid() + 1}))
    client = await provider.connect()
    assert await client.is_closed()
    assert provider.applications == []


async def test_the_application_knows_its_peer(provider: Provider) -> None:
    await provider.client()
    (peer,) = provider.peers
    assert (peer.pid, peer.uid, peer.gid) == (os.getpid(), os.getuid(), os.getgid())
    assert peer.program.startswith("python")


async def test_attributes_without_end(provider: Provider) -> None:
    client = await provider.client()
    session = await client.open_session(SLOT)
    for count in (257, 2**32 - 1):
        asked = request("C_GetAttributeValue", u(session), u(3), u32(count) + (u32(0) + u32(0)) * 300)
        assert await client.call(asked) == error(Ckr.DEVICE_ERROR)
        assert await client.call(request("C_CreateObject", u(session), u32(count))) == error(Ckr.DEVICE_ERROR)


async def test_close_hangs_up_on_everyone(provider: Provider) -> None:
    client = await provider.client()
    client.send(request("C_WaitForSlotEvent", u(0)))
    await provider.server.close()
    assert provider.applications[0].closed == 1
    assert provider.server.connection_count == 0
    assert not provider.path.exists()
    assert await client.is_closed()
