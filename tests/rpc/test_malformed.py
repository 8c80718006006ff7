"""Whatever a client sends, it gets an answer or is hung up on, and the others notice nothing."""

import asyncio
import os
import tempfile
from collections.abc import Coroutine
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from fob_daemon.rpc.calls import CALLS
from fob_daemon.rpc.dispatch import Dispatcher
from fob_daemon.rpc.frames import FrameReader, frame
from fob_daemon.rpc.server import ProviderServer
from fob_protocol.pkcs11.ckr import Ckr
from rpc.conversation import (
    IDS,
    INITIALIZE,
    RawClient,
    ay,
    buffers,
    bytes_attribute,
    error,
    fy,
    raw,
    reply,
    request,
    template,
    u,
    u32,
    ulong_attribute,
)
from rpc.fake_application import SLOT, FakeApplication

DELIBERATE_MISTAKES = {u32(IDS[name]) for name in ("C_Initialize", "C_DecryptInit", "C_Decrypt")}
LEGACY = b"\xff\xff\xff\xff"
VALID = [
    request("C_GetTokenInfo", u(SLOT)),
    request("C_GetMechanismList", u(SLOT), fy(9)),
    request("C_InitToken", u(SLOT), ay(b"pin"), raw(b"label")),
    request("C_Login", u(1), u(1), ay(b"1234")),
    request("C_FindObjectsInit", u(1), template(ulong_attribute(0, 2), bytes_attribute(0x102, b"id"))),
    request("C_FindObjects", u(1), fy(10)),
    request("C_GetAttributeValue", u(1), u(3), buffers({0x120: 512, 0x40000600: 0, 0x40000211: 0})),
    request("C_SignInit", u(1), u32(1) + LEGACY, u(3)),
    request("C_SignInit", u(1), u32(13) + u(0x250) + u(2) + u(32), u(3)),
    request("C_GenerateKeyPair", u(1), u32(0) + LEGACY, template(bytes_attribute(3, b"l")), template()),
    request("C_Sign", u(1), ay(b"data"), fy(256)),
    request("C_GenerateRandom", u(1), fy(16)),
]

any_body = st.one_of(
    st.binary(max_size=200),
    st.builds(
        lambda call, rest: u32(call.id) + raw(call.request.encode()) + rest,
        st.sampled_from(list(CALLS.values())),
        st.binary(max_size=200),
    ),
)


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A valid body that was cut, stretched, or had bytes changed."""
    body = bytearray(draw(st.sampled_from(VALID)))
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(body) - 1))
        match draw(st.sampled_from(["cut", "insert", "set", "max"])):
            case "cut":
                del body[at : at + draw(st.integers(1, 8))]
            case "insert":
                body[at:at] = draw(st.binary(min_size=1, max_size=8))
            case "set":
                body[at] = draw(st.integers(0, 255))
            case _:
                body[at : at + 4] = LEGACY
        if not body:
            break
    return bytes(body)


async def answered(dispatcher: Dispatcher, body: bytes) -> bytes:
    answer = dispatcher.answer(body)
    return await answer if isinstance(answer, Coroutine) else answer


def is_well_formed(body: bytes, answer: bytes) -> bool:
    """An error with a known code, or a reply to the call that was asked."""
    if answer.startswith(error(0)[:9]):
        ckr = int.from_bytes(answer[9:], "big")
        # GENERAL_ERROR is a mistake of ours, and the fake engine makes one on purpose.
        return ckr in set(Ckr) - {Ckr.OK} and (ckr != Ckr.GENERAL_ERROR or body[:4] in DELIBERATE_MISTAKES)
    call = CALLS[int.from_bytes(body[:4], "big")]
    return answer.startswith(reply(call.name))


@settings(max_examples=400)
@given(version=st.integers(0, 255), bodies=st.lists(st.one_of(any_body, damaged()), max_size=6))
def test_every_body_has_an_answer(version: int, bodies: list[bytes]) -> None:
    async def converse() -> None:
        dispatcher = Dispatcher(version, FakeApplication, call_timeout=1)
        assert await answered(dispatcher, INITIALIZE) == reply("C_Initialize")
        await answered(dispatcher, request("C_OpenSession", u(SLOT), u(6)))
        for body in bodies:
            if int.from_bytes(body[:4], "big") != IDS["C_WaitForSlotEvent"]:
                assert is_well_formed(body, await answered(dispatcher, body))
        dispatcher.close()

    asyncio.run(converse())


@given(cut=st.data())
def test_every_truncation_is_refused(cut: st.DataObject) -> None:
    """A request that breaks off is never taken for a shorter one.

    But for one that cannot be told: an old "no parameter" (four octets ff) cut so that it reads as a key handle of the
    new encoding. It names a session that nobody opened.
    """
    refusals = (Ckr.DEVICE_ERROR, Ckr.MECHANISM_PARAM_INVALID, Ckr.SESSION_HANDLE_INVALID)

    async def converse() -> None:
        body = cut.draw(st.sampled_from(VALID))
        dispatcher = Dispatcher(0, FakeApplication, call_timeout=1)
        await answered(dispatcher, INITIALIZE)
        short = body[: cut.draw(st.integers(0, len(body) - 1))]
        answer = await answered(dispatcher, short)
        assert answer in [error(ckr) for ckr in refusals]

    asyncio.run(converse())


@given(
    frames=st.lists(st.tuples(st.integers(0, 2**32 - 1), st.binary(max_size=60)), max_size=5),
    cuts=st.lists(st.integers(1, 40), min_size=1),
)
def test_frames_come_out_as_they_went_in_however_they_are_cut(frames: list[tuple[int, bytes]], cuts: list[int]) -> None:
    stream = b"".join(frame(code, body) for code, body in frames)
    reader = FrameReader(max_options=10, max_body=100)
    received = []
    turn = 0
    while stream:
        size = cuts[turn % len(cuts)]
        reader.feed(memoryview(stream[:size]))
        stream = stream[size:]
        turn += 1
        while (arrived := reader.next_frame()) is not None:
            received.append(arrived)
    assert received == frames


@settings(max_examples=40)
@given(noise=st.lists(st.binary(min_size=1, max_size=400), min_size=1, max_size=4))
def test_noise_on_the_socket_does_not_reach_another_client(noise: list[bytes]) -> None:
    async def converse(path: Path) -> None:
        server = ProviderServer(lambda peer: FakeApplication(), allowed_uids={os.getuid()})
        await server.listen(path)
        bystander = await RawClient.initialized(path)
        noisy = await RawClient.connect(path)
        for piece in noise:
            noisy.writer.write(piece)
        await noisy.close()
        info = request("C_GetSlotList", b"\x01", u32(0))
        assert await bystander.call(info) == reply("C_GetSlotList", b"\x00" + u32(1))
        await bystander.close()
        await server.close()

    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(converse(Path(folder) / "s"))
