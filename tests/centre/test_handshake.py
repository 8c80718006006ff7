"""Who gets a connection within the data centre, and who does not: passes, keys, and what stands between."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from fob_office.centre.bus.answering import Server, Table, row, serve
from fob_office.centre.bus.asking import Link
from fob_office.centre.bus.commands import CommandReader, MalformedError, split_answer
from fob_office.centre.bus.errors import AwayError, BusRefusedError, PassError
from fob_office.centre.bus.passes import Kind, Pass, Trust, read_pass
from fob_office.centre.limits import FRAME_LIMIT, HANDSHAKE_LIMIT
from fob_protocol.noise.keys import KeyPair
from support.centre import Centre, Echo, Process, Raw, Said, Wire

FOREIGN = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


async def say_again(peer: Pass, echo: Echo) -> Said:
    asked.append((peer.name, echo.text))
    return Said(echo.text)


asked: list[tuple[str, bytes]] = []


@pytest.fixture
def centre(tmp_path: Path) -> Centre:
    asked.clear()
    return Centre(tmp_path)


@pytest.fixture
async def server(centre: Centre) -> AsyncIterator[Server]:
    """A meter box that function servers may ask."""
    meter = centre.process(Kind.METER, "meter-1")
    async with await serve(
        f"unix:{centre.folder}/meter-1", meter.me, {Echo: row([Kind.FUNCTION], say_again)}
    ) as listening:
        centre.enter(meter, listening.address)
        yield listening


async def refused(centre: Centre, asker: Process) -> str:
    """Why the box lets nobody in."""
    link = Link(asker.me, centre.directory(), "meter-1")
    with capture_logs() as logs, pytest.raises(AwayError):
        await link.ask(Echo(b""))
    return str(logs[-1]["why"])


async def test_passes_that_are_not_taken(centre: Centre, server: Server) -> None:
    process = centre.process
    assert "which has no business here" in await refused(centre, process(Kind.STEEL, "steel-1"))
    assert "has expired" in await refused(centre, process(Kind.FUNCTION, "old", days=-1))
    assert "signed by another key" in await refused(centre, process(Kind.FUNCTION, "foreign", key=FOREIGN))
    assert asked == []


async def test_a_pass_for_another_key_is_not_taken(centre: Centre, server: Server) -> None:
    honest = centre.process(Kind.FUNCTION, "function-1")
    thief = centre.process(Kind.FUNCTION, "thief")
    thief.me = replace(thief.me, shown=honest.me.shown)
    assert "the pass of function-1 is for another key" in await refused(centre, thief)


async def test_a_pass_that_was_replaced_is_not_taken(centre: Centre, server: Server) -> None:
    old = centre.process(Kind.FUNCTION, "function-1")
    new = centre.again(old.me.static, Kind.FUNCTION, "function-1")
    link = Link(new.me, centre.directory(), "meter-1")
    assert await link.ask(Echo(b"new")) == Said(b"new")
    link.close()
    assert "function-1 has a newer pass than this one" in await refused(centre, old)


def test_no_bit_of_a_pass_can_be_changed(centre: Centre) -> None:
    shown = centre.process(Kind.FUNCTION, "function-1").me.shown()
    for place in range(8 * len(shown)):
        changed = bytearray(shown)
        changed[place // 8] ^= 1 << place % 8
        with pytest.raises(PassError):
            read_pass(centre.manufacturing, bytes(changed))


async def test_the_box_that_answers_has_to_be_the_one_that_is_asked(centre: Centre, server: Server) -> None:
    """The directory is no authority: an entry with the pass of another box leads nowhere."""
    other = centre.process(Kind.METER, "meter-2")
    centre.enter(other, server.address)
    link = Link(centre.process(Kind.FUNCTION, "function-1").me, centre.directory(), "meter-2")
    with pytest.raises(AwayError):
        await link.ask(Echo(b""))
    assert asked == []


async def test_an_asker_judges_who_answers(centre: Centre, server: Server) -> None:
    """The box is what it says, and its pass is over: nothing is told to it."""
    asker = centre.process(Kind.FUNCTION, "function-1", days=1000)
    centre.now += 500 * 24 * 3600
    link = Link(asker.me, centre.directory(), "meter-1")
    with pytest.raises(AwayError, match="the pass of meter-1 has expired"):
        await link.ask(Echo(b""))


async def test_what_was_heard_once_and_is_sent_again_does_nothing(centre: Centre, server: Server) -> None:
    asker = centre.process(Kind.FUNCTION, "function-1")
    async with Wire(centre.folder, server.address) as wire:
        centre.enter(centre.process_of("meter-1"), wire.address)
        link = Link(asker.me, centre.directory(), "meter-1")
        await link.ask(Echo(b"frank"))
        link.close()
        heard = b"".join(wire.to_server)
    replay = await Raw.to(server.address)
    replay.write(heard)
    assert await replay.is_cut_off()
    replay.close()
    assert asked == [("function-1", b"frank")]


@pytest.mark.parametrize("flip", [0, 32, 40 * 8, 100 * 8, -1])
async def test_a_changed_bit_on_the_wire_ends_the_connection(centre: Centre, server: Server, flip: int) -> None:
    asker = centre.process(Kind.FUNCTION, "function-1")
    async with Wire(centre.folder, server.address) as wire:
        centre.enter(centre.process_of("meter-1"), wire.address)
        link = Link(asker.me, centre.directory(), "meter-1")
        wire.flip = flip
        with pytest.raises(AwayError):
            await link.ask(Echo(b"first"), timeout=0.5)
        assert asked == []
        assert await link.ask(Echo(b"second")) == Said(b"second")
        wire.flip = flip
        with pytest.raises(AwayError):
            await link.ask(Echo(b"third"), timeout=0.5)
        assert asked == [("function-1", b"second")]
        link.close()


async def shaken(centre: Centre, server: Server, prologue: bytes = b"fob/1 bus") -> Raw:
    """A function server that is written by hand."""
    asker = centre.process(Kind.FUNCTION, "function-1")
    raw = await Raw.to(server.address)
    try:
        await raw.shake(asker.me.static, asker.me.shown(), server.me.static.public, centre.random, prologue)
    except asyncio.IncompleteReadError:
        raw.close()
        raise
    return raw


async def test_a_program_by_hand_is_answered(centre: Centre, server: Server) -> None:
    raw = await shaken(centre, server)
    raw.write_frame(msgspec.msgpack.encode([7, ["Echo", b"by hand"]]))
    assert msgspec.msgpack.decode(await raw.read_frame()) == [7, ["Said", b"by hand"]]
    raw.close()


@pytest.mark.parametrize("turns", range(4))
async def test_one_who_connects_while_a_server_is_closed_is_hung_up_on(
    centre: Centre, server: Server, turns: int
) -> None:
    with socket.socket(socket.AF_UNIX) as asker:
        asker.connect(server.address.removeprefix("unix:"))
        asker.setblocking(False)
        for _ in range(turns):
            await asyncio.sleep(0)
        await server.close()
        with suppress(ConnectionResetError):
            assert asker.recv(1) == b""


async def test_one_who_takes_no_answers_does_not_keep_a_server_that_is_closed(
    centre: Centre, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every socket is closed when it is, also one whose other side is there and reads nothing."""
    monkeypatch.setattr("fob_office.centre.bus.answering.CLOSE_TIME", 0.01)

    async def at_length(peer: Pass, echo: Echo) -> Said:
        return Said(bytes(50_000))

    meter = centre.process(Kind.METER, "meter-1")
    table: Table = {Echo: row([Kind.FUNCTION], at_length)}
    async with await serve(f"unix:{centre.folder}/meter-1", meter.me, table) as server:
        raw = await shaken(centre, server)
        for _ in range(100):
            raw.write_frame(msgspec.msgpack.encode([7, ["Echo", b"?"]]))
        await raw.read_frame()
        await server.close()
        assert await raw.frames_until_the_end() < 99
        raw.close()


async def test_octets_may_come_one_at_a_time_and_frames_many_at_once(centre: Centre, server: Server) -> None:
    async with Wire(centre.folder, server.address) as wire:
        wire.pieces = 1
        centre.enter(centre.process_of("meter-1"), wire.address)
        link = Link(centre.process(Kind.FUNCTION, "function-1").me, centre.directory(), "meter-1")
        answers = await asyncio.gather(*(link.ask(Echo(b"%d" % number)) for number in range(20)))
        assert [answer.text for answer in answers] == [b"%d" % number for number in range(20)]
        link.close()


async def test_who_takes_no_answers_is_read_no_more_until_he_does(centre: Centre, server: Server) -> None:
    raw = await shaken(centre, server)
    text = bytes(50_000)
    for number in range(200):
        raw.write_frame(msgspec.msgpack.encode([number, ["Echo", text]]))
    for _ in range(200):
        await asyncio.sleep(0)
    # 10 megabytes were asked for, 1 is kept for him, and some are within the sockets.
    assert 0 < len(asked) < 100
    numbers = {msgspec.msgpack.decode(await raw.read_frame())[0] for _ in range(200)}
    assert (numbers, len(asked)) == (set(range(200)), 200)
    raw.close()


async def test_another_prologue_gets_no_answer(centre: Centre, server: Server) -> None:
    with pytest.raises(asyncio.IncompleteReadError):
        await shaken(centre, server, b"fob/2 bus")


@pytest.mark.parametrize("size", [0, 1, 15, HANDSHAKE_LIMIT + 1, FRAME_LIMIT, 1 << 31])
async def test_a_handshake_message_of_another_size_ends_the_connection_at_once(
    centre: Centre, server: Server, size: int
) -> None:
    raw = await Raw.to(server.address)
    raw.write(size.to_bytes(4))
    assert await raw.is_cut_off()
    raw.close()


@pytest.mark.parametrize("size", [0, 15, FRAME_LIMIT + 17, (1 << 32) - 1])
async def test_a_frame_of_another_size_ends_the_connection_at_once(centre: Centre, server: Server, size: int) -> None:
    raw = await shaken(centre, server)
    raw.write(size.to_bytes(4))
    assert await raw.is_cut_off()
    raw.close()


async def test_who_never_shakes_hands_is_cut_off(
    centre: Centre, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fob_office.centre.bus.channel.HANDSHAKE_TIME", 0.01)
    raw = await Raw.to(server.address)
    assert await raw.is_cut_off()
    raw.close()


MALFORMED = {
    "an element of another type": ["Echo", 7],
    "too few": ["Echo"],
    "too many": ["Echo", b"", b""],
}
NO_COMMANDS = (
    b"",
    b"\xc1",
    b"\x91\x07",
    b"\x92\xa1x\x90",
    b"\x92\x07\xc0",
    b"\x92\x07\x90",
    b"\x92\x07" + b"\x91" * 59_990,
)


async def test_a_malformed_command_is_refused_and_the_next_one_is_answered(centre: Centre, server: Server) -> None:
    raw = await shaken(centre, server)
    for number, command in enumerate(MALFORMED.values()):
        raw.write_frame(msgspec.msgpack.encode([number, command]))
        answer = msgspec.msgpack.decode(await raw.read_frame())
        assert answer[:2] == [number, "malformed"]
    raw.write_frame(msgspec.msgpack.encode([9, ["Nothing"]]))
    assert msgspec.msgpack.decode(await raw.read_frame())[:2] == [9, "unknown-command"]
    raw.write_frame(msgspec.msgpack.encode([10, ["Echo", b"next"]]))
    assert msgspec.msgpack.decode(await raw.read_frame()) == [10, ["Said", b"next"]]
    raw.close()


@pytest.mark.parametrize("frame", NO_COMMANDS, ids=lambda frame: frame[:6].hex())
async def test_what_is_no_command_ends_the_connection(centre: Centre, server: Server, frame: bytes) -> None:
    raw = await shaken(centre, server)
    raw.write_frame(frame)
    assert await raw.is_cut_off()
    raw.close()


@given(
    st.binary(max_size=200)
    | st.recursive(st.none() | st.integers(0, 9) | st.binary() | st.text(), st.lists).map(msgspec.msgpack.encode)
)
def test_any_frame_is_read_or_named(frame: bytes) -> None:
    reader = CommandReader([Echo])
    with suppress(MalformedError):
        _, command = reader.read(frame)
        assert isinstance(command, Echo | BusRefusedError)
    with suppress(MalformedError):
        split_answer(frame)


def test_a_pass_is_for_one_of_the_kinds_and_names(centre: Centre) -> None:
    shown = centre.process(Kind.METER, "meter-1")
    trust = Trust(centre.manufacturing, lambda: centre.now)
    static = shown.me.static.public
    assert trust.check(shown.me.shown(), static, [Kind.METER], "meter-1") == shown.shown
    with pytest.raises(PassError, match="meter-1 answers for meter-2"):
        trust.check(shown.me.shown(), static, [Kind.METER], "meter-2")
    with pytest.raises(PassError, match="for another key"):
        trust.check(shown.me.shown(), KeyPair.generate(centre.random).public, [Kind.METER])
