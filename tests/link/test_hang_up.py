"""The device leaves data state while the line stays open: the session goes on in a new one, and no client notices."""

import asyncio
from collections import Counter
from pathlib import Path

import pytest

from fob_daemon.link.keeper import BACKOFF, HANG_UPS_APART, State
from fob_daemon.link.presence import (
    FIRST_ANSWER_OCTETS,
    HANDSHAKE_OCTETS,
    RECONNECT_GRACE,
    first_answer_time,
    opening_time,
)
from fob_daemon.link.transport import LineUrl
from fob_device.line.device_line import DeviceLine
from fob_protocol import catalogue
from fob_protocol.at.answer import single
from fob_protocol.limits import OUTSTANDING_LIMIT
from fob_protocol.link.frames import LEAVE, NO_CARRIER
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.errors import CkrError
from fob_protocol.session.timing import LineTiming
from support import world as worlds
from support.memory_line import LATENCY, Cable, Noise, Wire
from support.virtual_loop import run_virtually
from support.world import World, counted_signatures

DIGEST = bytes(range(32))
INFO = catalogue.GET_TOKEN_INFO.build()

# There and back.
TRIP = 2 * LATENCY


class SerialCable(Cable):
    """Three wires: neither end learns that the other one closed its port."""

    rate: float | None = None

    def __init__(self, noise: Noise) -> None:
        super().__init__(noise)
        self._down, self._up = Wire(self.rate), Wire(self.rate)

    def hang_up(self) -> None:
        """The PC closes its port; the device sees nothing of it."""
        pc, self._pc = self._pc, None
        if pc is not None:
            asyncio.get_running_loop().call_soon(pc.connection_lost, None)


@pytest.fixture(autouse=True)
def serial_cable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Worlds are connected by three wires."""
    monkeypatch.setattr(worlds, "Cable", SerialCable)


@pytest.fixture(params=[1_200, 9_600, 115_200])
def rate(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> float:
    """The wires carry so many octets per second, and the daemon knows it."""
    baud: int = request.param
    monkeypatch.setattr(SerialCable, "url", LineUrl.parse(f"serial:/cable?baud={baud}"))
    monkeypatch.setattr(SerialCable, "rate", baud / 10)
    return baud / 10


async def sign(world: World, handle: int) -> float:
    """One signature, checked; the seconds it took."""
    began = asyncio.get_running_loop().time()
    answer = await world.manager.request(catalogue.SIGN.build(handle, None, DIGEST), timeout=30)
    (signature,) = single(answer, bytes)
    assert isinstance(signature, bytes)
    assert len(signature) == 64
    return asyncio.get_running_loop().time() - began


async def refusal(world: World) -> tuple[Ckr, float]:
    """How a request fails, and after how many seconds."""
    began = asyncio.get_running_loop().time()
    with pytest.raises(CkrError) as caught:
        await world.manager.request(INFO, timeout=30)
    return caught.value.ckr, asyncio.get_running_loop().time() - began


def cable(world: World) -> Cable:
    assert isinstance(world.cable, Cable)
    return world.cable


def write_leave(world: World) -> None:
    """Somebody else writes on the line."""
    cable(world).to_device(LEAVE.to_bytes())


def write_no_carrier(world: World) -> None:
    """Somebody else writes on the line, at the PC's end of it."""
    pc = cable(world)._pc
    if pc is not None:
        pc.data_received(NO_CARRIER)


async def lose_the_answer(world: World, signed: Counter[bytes]) -> None:
    """What was asked runs, and its answer comes to nothing."""
    await asyncio.sleep(0)
    world.noise.silence = True  # what is on its way arrives, but nothing sets out
    await world.until(lambda: signed[DIGEST] == 1)


def restart_behind_the_line(world: World) -> None:
    """The device's program restarts; the line stays open, and nobody says a word."""
    world.phone.token.close()
    world.phone = world._switch_on()


def test_a_hang_up_while_nothing_is_asked_costs_one_reconnect(tmp_path: Path) -> None:
    async def story() -> None:
        world = await World.paired(tmp_path, 1)
        handle = await world.new_key()
        await asyncio.sleep(HANG_UPS_APART)
        told: list[bool] = []
        world.manager.on_session(lambda greeting: told.append(greeting is not None))
        with counted_signatures() as signed:
            write_leave(world)
            await asyncio.sleep(1)
            assert told == [False, True]
            await world.login()
            assert await sign(world, handle) == pytest.approx(TRIP)
        assert (signed[DIGEST], world.manager.connects) == (1, 2)
        await world.close()

    run_virtually(story())


def test_the_answer_of_a_request_that_ran_is_recalled(tmp_path: Path) -> None:
    async def story() -> None:
        world = await World.paired(tmp_path, 1)
        handle = await world.new_key()
        await asyncio.sleep(HANG_UPS_APART)
        with counted_signatures() as signed:
            signing = asyncio.create_task(sign(world, handle))
            await asyncio.sleep(0)
            write_leave(world)
            # Behind the request: it runs. NO CARRIER, versions, CONNECT, handshake, FOBRECALL: no wait in between.
            assert await signing == pytest.approx(5 * TRIP)
        assert (signed[DIGEST], world.manager.connects) == (1, 2)
        assert world.manager.counters.sent_again == 0
        await world.close()

    run_virtually(story())


def test_a_request_that_never_came_is_asked_again(tmp_path: Path) -> None:
    async def story() -> None:
        world = await World.paired(tmp_path, 1)
        await asyncio.sleep(HANG_UPS_APART)
        write_leave(world)
        # In front of the request: command state takes it for noise, and forgets it with the session.
        answer = await world.manager.request(INFO, timeout=30)
        assert (answer.ckr, world.manager.connects) == (Ckr.OK, 2)
        await world.close()

    run_virtually(story())


def test_a_hang_up_that_nobody_heard_is_told_by_the_echo_of_the_next_request(tmp_path: Path) -> None:
    async def story() -> None:
        world = await World.paired(tmp_path, 1)
        await asyncio.sleep(HANG_UPS_APART)
        write_leave(world)
        await asyncio.sleep(LATENCY * 0.5)
        world.noise.silence = True  # what is on its way arrives, NO CARRIER does not set out
        await asyncio.sleep(LATENCY)
        world.noise.silence = False
        began = asyncio.get_running_loop().time()
        assert (await world.manager.request(INFO, timeout=30)).ckr == Ckr.OK
        # The echo, versions, CONNECT, handshake, FOBRECALL, and the request once more.
        assert asyncio.get_running_loop().time() - began == pytest.approx(6 * TRIP)
        assert world.manager.connects == 2
        await world.close()

    run_virtually(story())


def test_a_program_that_restarted_behind_an_open_line_is_found_at_once(tmp_path: Path) -> None:
    async def story() -> None:
        world = await World.paired(tmp_path, 1)
        await asyncio.sleep(HANG_UPS_APART)
        restart_behind_the_line(world)
        # That the request did not run is not known of a device that restarted.
        ckr, seconds = await refusal(world)
        assert ckr is Ckr.DEVICE_ERROR
        assert seconds == pytest.approx(4 * TRIP)
        assert (await world.manager.request(INFO, timeout=30)).ckr == Ckr.OK
        assert world.manager.connects == 2
        await world.close()

    run_virtually(story())


@pytest.mark.clause("P14")
def test_whoever_writes_no_carrier_cuts_the_session_and_no_more(tmp_path: Path) -> None:
    async def story() -> None:
        world = await World.paired(tmp_path, 1)
        handle = await world.new_key()
        await asyncio.sleep(HANG_UPS_APART)
        with counted_signatures() as signed:
            signing = asyncio.create_task(sign(world, handle))
            await asyncio.sleep(0)
            write_no_carrier(world)
            assert await signing < 7 * TRIP
        assert (signed[DIGEST], world.manager.connects) == (1, 2)
        await world.close()

    run_virtually(story())


def test_whoever_writes_it_again_and_again_does_not_keep_the_daemon_busy(tmp_path: Path) -> None:
    async def story() -> None:
        world = await World.paired(tmp_path, 1)
        began = asyncio.get_running_loop().time()
        for _ in range(10_000):
            write_no_carrier(world)
            await asyncio.sleep(0.001)
        seconds = asyncio.get_running_loop().time() - began
        assert world.manager.connects <= seconds / BACKOFF[0] + 2
        await world.until(lambda: world.manager.greeting is not None)
        assert (await world.manager.request(INFO, timeout=30)).ckr == Ckr.OK
        await world.close()

    run_virtually(story())


def test_a_hang_up_in_the_handshake_ends_the_attempt_at_once(tmp_path: Path) -> None:
    async def story() -> None:
        world = await World.paired(tmp_path, 1)
        await world.disconnect()
        link = world.new_link()
        running = asyncio.create_task(link.run())
        # NO CARRIER of the session before, versions, CONNECT; then LEAVE overtakes step 1.
        await asyncio.sleep(3 * TRIP - LATENCY * 0.5)
        write_leave(world)
        await asyncio.sleep(TRIP + LATENCY)
        assert (link.state, link.why) == (State.AWAY, "the device hung up")
        await asyncio.sleep(BACKOFF[1] + 4 * TRIP)
        assert link.state is State.READY
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await world.close()

    run_virtually(story())


def test_a_slow_line_is_reopened_and_the_request_settled(tmp_path: Path, rate: float) -> None:
    async def story() -> None:
        world = await World.paired(tmp_path, 1)
        handle = await world.new_key()
        await asyncio.sleep(HANG_UPS_APART)
        with counted_signatures() as signed:
            signing = asyncio.create_task(sign(world, handle))
            await lose_the_answer(world, signed)
            world.noise.silence = False
            before = world.manager.traffic()
            write_leave(world)
            await signing
        after = world.manager.traffic()
        assert (signed[DIGEST], world.manager.connects) == (1, 2)
        assert (after.octets_sent - before.octets_sent, after.octets_received - before.octets_received) == (197, 260)
        await world.close()

    run_virtually(story())


def test_a_line_that_was_silent_too_long_is_reopened_and_the_request_settled(tmp_path: Path, rate: float) -> None:
    async def story() -> None:
        world = await World.paired(tmp_path, 1)
        handle = await world.new_key()
        lost, back = asyncio.Event(), asyncio.Event()
        world.manager.on_session(lambda greeting: back.set() if greeting else lost.set())
        with counted_signatures() as signed:
            signing = asyncio.create_task(sign(world, handle))
            await lose_the_answer(world, signed)
            await lost.wait()
            world.noise.silence = False
            began = asyncio.get_running_loop().time()
            await back.wait()
            reopened = asyncio.get_running_loop().time() - began
            await signing
        # The device was still in data state: four conversations, their octets one after the other.
        assert reopened < BACKOFF[0] + (FIRST_ANSWER_OCTETS + HANDSHAKE_OCTETS) / rate + 4 * TRIP
        assert (reopened > RECONNECT_GRACE) == (rate < 11_520)
        assert (signed[DIGEST], world.manager.connects) == (1, 2)
        await world.close()

    run_virtually(story())


@pytest.mark.parametrize("count", [1, 2, 5, OUTSTANDING_LIMIT])
def test_a_device_that_is_away_is_told_in_time(tmp_path: Path, rate: float, count: int) -> None:
    async def story() -> None:
        world = await World.paired(tmp_path, 1)
        await asyncio.sleep(1)
        world.noise.silence = True
        for ckr, seconds in await asyncio.gather(*(refusal(world) for _ in range(count))):
            assert ckr is Ckr.DEVICE_ERROR
            assert seconds == pytest.approx(LineTiming(rate).lost_after() + first_answer_time(rate))
            assert rate < 11_520 or seconds < 2.0
        assert await refusal(world) == (Ckr.DEVICE_REMOVED, 0.0)
        await world.close()

    run_virtually(story())


def test_a_line_that_cannot_be_opened_fails_fast(tmp_path: Path, rate: float) -> None:
    async def story() -> None:
        world = await World.paired(tmp_path, 1)
        await asyncio.sleep(HANG_UPS_APART)
        world.noise.silence = True
        write_no_carrier(world)
        ckr, seconds = await refusal(world)
        assert ckr is Ckr.DEVICE_REMOVED
        assert seconds == pytest.approx(first_answer_time(rate))
        await world.close()

    run_virtually(story())


def test_a_device_that_answers_and_then_falls_silent_is_waited_for_once(
    tmp_path: Path, rate: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story() -> None:
        world = await World.paired(tmp_path, 1)
        await asyncio.sleep(HANG_UPS_APART)
        write_leave(world)
        await world.until(lambda: world.manager.state is State.AWAY)
        monkeypatch.setattr(DeviceLine, "_receive", lambda line, frame: None)
        ckr, seconds = await refusal(world)
        assert ckr is Ckr.DEVICE_REMOVED
        assert seconds <= first_answer_time(rate) + opening_time(rate)
        await world.close()

    run_virtually(story())
