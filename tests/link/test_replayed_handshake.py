"""Step 1 of a handshake can be replayed by whoever heard it: no session ends, begins or forgets by it (section 6)."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from fob_daemon.link.keeper import State
from fob_device.line.device_line import DeviceLine
from fob_device.phone import Phone
from fob_protocol import catalogue
from fob_protocol.at.answer import Event, single
from fob_protocol.catalogue import EVENT_GENERATION, EVENT_TOKEN
from fob_protocol.link.frames import LEAVE, Frame, FrameReader, Kind
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.errors import CkrError
from support.medium import Medium
from support.noise import Tap
from support.virtual_loop import run_virtually
from support.world import World, counted_signatures

DIGEST = bytes(range(32))
INFO = catalogue.GET_TOKEN_INFO.build()


class Recorder:
    """Somebody on the line: has heard every step 1, and says them again on any line."""

    def __init__(self) -> None:
        self.heard: list[Frame] = []

    def hear(self, data: bytes) -> None:
        """What the PC wrote at once; a frame stands alone in it."""
        self.heard += [frame for frame in FrameReader().feed(data) if frame.kind is Kind.HANDSHAKE]

    def replay(self, write: Callable[[bytes], None]) -> None:
        """Say them all."""
        for frame in tuple(self.heard):
            write(frame.to_bytes())


@pytest.fixture
def recorder(medium: Medium) -> Recorder:
    heard = Recorder()
    medium.taps.append(Tap(down=heard.hear, up=lambda octets: None))
    return heard


async def reconnect(world: World, times: int) -> None:
    """So many handshakes for the recorder."""
    for _ in range(times):
        await world.reconnect()
        await asyncio.sleep(1)


async def sign(world: World, handle: int) -> bytes:
    answer = await world.manager.request(catalogue.SIGN.build(handle, None, DIGEST), timeout=30)
    (signature,) = single(answer, bytes)
    assert isinstance(signature, bytes)
    return signature


async def refusal(world: World) -> Ckr:
    with pytest.raises(CkrError) as caught:
        await world.manager.request(INFO, timeout=30)
    return caught.value.ckr


def other_line(world: World) -> tuple[DeviceLine, bytearray]:
    """Another line to the same phone, in data state; what the phone says there."""
    said = bytearray()
    line = DeviceLine(world.phone, said.extend)
    line.data_received(b"AT+FOBOPEN=1\r")
    assert said.endswith(b"CONNECT\r\n")
    said.clear()
    return line, said


@pytest.mark.clause("P14")
def test_a_replay_on_the_line_of_a_session_ends_nothing(tmp_path: Path, medium: Medium, recorder: Recorder) -> None:
    async def story() -> None:
        world = await World.paired(tmp_path, 1, cable=medium)
        await reconnect(world, 3)
        handle = await world.new_key()
        assert len(recorder.heard) == 4
        with counted_signatures() as signed:
            signing = asyncio.create_task(sign(world, handle))
            await asyncio.sleep(0)
            recorder.replay(medium.say_to_device)
            assert len(await signing) == 64
            # The login lives on.
            assert len(await sign(world, handle)) == 64
        assert (signed[DIGEST], len(recorder.heard)) == (2, 4 + 4), "nobody but the recorder shook hands"
        await world.close()

    run_virtually(story())


@pytest.mark.clause("P14")
def test_a_replay_on_another_line_ends_nothing(tmp_path: Path, medium: Medium, recorder: Recorder) -> None:
    async def story() -> None:
        world = await World.paired(tmp_path, 1, cable=medium)
        handle = await world.new_key()
        line, said = other_line(world)
        recorder.replay(line.data_received)
        assert [frame.kind for frame in FrameReader().feed(bytes(said))] == [Kind.HANDSHAKE]
        assert len(await sign(world, handle)) == 64
        assert len(recorder.heard) == 1
        line.hang_up()
        await world.close()

    run_virtually(story())


@pytest.mark.clause("P14")
def test_replays_do_not_make_the_phone_forget_what_it_was_asked(
    tmp_path: Path, medium: Medium, recorder: Recorder
) -> None:
    async def story() -> None:
        world = await World.paired(tmp_path, 1, cable=medium)
        await reconnect(world, 20)
        handle = await world.new_key()
        with counted_signatures() as signed:
            signing = asyncio.create_task(sign(world, handle))
            await asyncio.sleep(0)
            medium.say_to_device(LEAVE.to_bytes())
            await world.until(lambda: signed[DIGEST] == 1)
            line, _ = other_line(world)
            recorder.replay(line.data_received)
            assert len(await signing) == 64
        assert signed[DIGEST] == 1
        line.hang_up()
        await world.close()

    run_virtually(story())


def test_what_changed_between_the_greeting_and_the_first_record_is_announced(
    tmp_path: Path, medium: Medium, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story() -> None:
        world = await World.paired(tmp_path, 1, cable=medium)
        await world.new_key()
        events: list[Event] = []
        world.manager.subscribe(events.append)
        await reconnect(world, 1)
        assert events == []
        now = world.phone.greeting()
        monkeypatch.setattr(Phone, "greeting", lambda phone: replace(now, generation=now.generation - 1, token_flags=0))
        await reconnect(world, 1)
        assert events == [Event(EVENT_GENERATION, (now.generation,)), Event(EVENT_TOKEN, (now.token_flags,))]
        await world.close()

    run_virtually(story())


def test_a_computer_that_is_unpaired_before_its_first_record_gets_no_session(tmp_path: Path, medium: Medium) -> None:
    async def story() -> None:
        world = await World.paired(tmp_path, 1, cable=medium)
        # The PC has step 2, its first record is on its way, and the person unpairs.
        world.manager.on_session(lambda greeting: world.forget_pc() if greeting else None)
        world.cable.hang_up()
        await world.until(lambda: world.manager.state is State.REFUSED)
        assert await refusal(world) is Ckr.DEVICE_REMOVED
        await world.close()

    run_virtually(story())
