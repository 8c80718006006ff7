"""The device leaves data state while the line stays open: the session goes on in a new one, and no client notices."""

import asyncio
from collections import Counter
from pathlib import Path

import pytest

from fob_daemon.link.keeper import BACKOFF, HANG_UPS_APART, State
from fob_device.line.device_line import DeviceLine
from fob_protocol import catalogue
from fob_protocol.at.answer import single
from fob_protocol.limits import OUTSTANDING_LIMIT
from fob_protocol.link.frames import LEAVE, NO_CARRIER
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.errors import CkrError
from fob_protocol.session.pace import FIRST_ANSWER_OCTETS, HANDSHAKE_OCTETS, RECONNECT_GRACE, Pace
from support.medium import Medium
from support.memory_line import LATENCY, SerialCable
from support.noise import Noise, Tap
from support.radio_cable import RadioCable
from support.world import World, counted_signatures, tell

DIGEST = bytes(range(32))
INFO = catalogue.GET_TOKEN_INFO.build()
CONNECT = b"\r\nCONNECT\r\n"


@pytest.fixture(params=["serial", "ble"])
def medium(request: pytest.FixtureRequest, tmp_path: Path) -> Medium:
    """Three wires, or the air."""
    return SerialCable(Noise()) if request.param == "serial" else RadioCable(tmp_path)


@pytest.fixture(params=[1_200, 9_600, 115_200])
def slow(request: pytest.FixtureRequest) -> SerialCable:
    """Three wires that carry a tenth of so many octets per second, and the daemon knows it."""
    return SerialCable(Noise(), request.param)


@pytest.fixture
def rate(slow: SerialCable) -> float:
    """Octets per second."""
    return slow.url.baud / 10


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


def write_leave(world: World) -> None:
    """Somebody else writes on the line."""
    world.cable.say_to_device(LEAVE.to_bytes())


def took(world: World, seconds: float, trips: int) -> bool:
    """Whether nothing else took time but so many questions and answers."""
    least, most = world.cable.trips(trips)
    return least <= seconds <= most


async def lose_the_answer(world: World, signed: Counter[bytes]) -> None:
    """What was asked runs, and its answer comes to nothing."""
    await asyncio.sleep(0)
    world.noise.silence = True  # what is on its way arrives, but nothing sets out
    await world.until(lambda: signed[DIGEST] == 1)


def test_a_hang_up_while_nothing_is_asked_costs_one_reconnect(tmp_path: Path, medium: Medium) -> None:
    async def story(world: World) -> None:
        handle = await world.new_key()
        await asyncio.sleep(HANG_UPS_APART)
        told: list[bool] = []
        world.manager.on_session(lambda greeting: told.append(greeting is not None))
        with counted_signatures() as signed:
            write_leave(world)
            await asyncio.sleep(1)
            assert told == [False, True]
            await world.login()
            assert took(world, await sign(world, handle), trips=1)
        assert (signed[DIGEST], world.manager.connects) == (1, 2)

    tell(tmp_path, medium, story)


def test_the_answer_of_a_request_that_ran_is_recalled(tmp_path: Path, medium: Medium) -> None:
    async def story(world: World) -> None:
        handle = await world.new_key()
        await asyncio.sleep(HANG_UPS_APART)
        with counted_signatures() as signed:
            signing = asyncio.create_task(sign(world, handle))
            await asyncio.sleep(0)
            write_leave(world)
            # Behind the request: it runs. NO CARRIER, versions, CONNECT, handshake, FOBRECALL: no wait in between.
            assert took(world, await signing, trips=5)
        assert (signed[DIGEST], world.manager.connects) == (1, 2)
        assert world.manager.counters.sent_again == 0

    tell(tmp_path, medium, story)


def test_a_request_that_never_came_is_asked_again(tmp_path: Path, medium: Medium) -> None:
    async def story(world: World) -> None:
        await asyncio.sleep(HANG_UPS_APART)
        write_leave(world)
        # In front of the request: command state takes it for noise, and forgets it with the session.
        answer = await world.manager.request(INFO, timeout=30)
        assert (answer.ckr, world.manager.connects) == (Ckr.OK, 2)

    tell(tmp_path, medium, story)


def test_a_hang_up_that_nobody_heard_is_told_by_the_echo_of_the_next_request(tmp_path: Path, medium: Medium) -> None:
    async def story(world: World) -> None:
        await asyncio.sleep(HANG_UPS_APART)
        world.noise.swallow(NO_CARRIER)
        write_leave(world)
        await asyncio.sleep(1)
        assert world.manager.connects == 1
        began = asyncio.get_running_loop().time()
        assert (await world.manager.request(INFO, timeout=30)).ckr == Ckr.OK
        # The echo, versions, CONNECT, handshake, FOBRECALL, and the request once more.
        assert took(world, asyncio.get_running_loop().time() - began, trips=6)
        assert world.manager.connects == 2

    tell(tmp_path, medium, story)


def test_a_program_that_restarted_behind_an_open_line_is_found_at_once(tmp_path: Path, medium: Medium) -> None:
    async def story(world: World) -> None:
        await asyncio.sleep(HANG_UPS_APART)
        world.restart_program()
        # That the request did not run is not known of a device that restarted.
        ckr, seconds = await refusal(world)
        assert ckr is Ckr.DEVICE_ERROR
        assert took(world, seconds, trips=4)
        assert (await world.manager.request(INFO, timeout=30)).ckr == Ckr.OK
        assert world.manager.connects == 2

    tell(tmp_path, medium, story)


@pytest.mark.clause("P14")
def test_whoever_writes_no_carrier_cuts_the_session_and_no_more(tmp_path: Path, medium: Medium) -> None:
    async def story(world: World) -> None:
        handle = await world.new_key()
        await asyncio.sleep(HANG_UPS_APART)
        with counted_signatures() as signed:
            signing = asyncio.create_task(sign(world, handle))
            await asyncio.sleep(0)
            medium.say_to_pc(NO_CARRIER)
            assert await signing < medium.trips(7)[0]
        assert (signed[DIGEST], world.manager.connects) == (1, 2)

    tell(tmp_path, medium, story)


def test_whoever_writes_it_again_and_again_does_not_keep_the_daemon_busy(tmp_path: Path, medium: Medium) -> None:
    async def story(world: World) -> None:
        began = asyncio.get_running_loop().time()
        for _ in range(10_000):
            medium.say_to_pc(NO_CARRIER)
            await asyncio.sleep(0.001)
        seconds = asyncio.get_running_loop().time() - began
        assert world.manager.connects <= seconds / BACKOFF[0] + 2
        await world.until(lambda: world.manager.greeting is not None)
        assert (await world.manager.request(INFO, timeout=30)).ckr == Ckr.OK

    tell(tmp_path, medium, story)


def test_a_hang_up_in_the_handshake_ends_the_attempt_at_once(tmp_path: Path, medium: Medium) -> None:
    async def story(world: World) -> None:
        await world.disconnect()
        link = world.new_link()
        states: list[tuple[State, str]] = []
        link.on_change(lambda: states.append((link.state, link.why)))

        def overtake(octets: bytes) -> None:
            # Step 1 follows CONNECT; this is on the line before it, once.
            if CONNECT in octets:
                medium.taps.clear()
                write_leave(world)

        medium.taps.append(Tap(down=lambda octets: None, up=overtake))
        running = asyncio.create_task(link.run())
        await world.until(lambda: link.state is State.READY)
        assert (State.AWAY, "the device hung up") in states
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    tell(tmp_path, medium, story)


def test_a_slow_line_is_reopened_and_the_request_settled(tmp_path: Path, slow: SerialCable, rate: float) -> None:
    async def story(world: World) -> None:
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

    tell(tmp_path, slow, story)


def test_a_line_that_was_silent_too_long_is_reopened_and_the_request_settled(
    tmp_path: Path, slow: SerialCable, rate: float
) -> None:
    async def story(world: World) -> None:
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
        assert reopened < BACKOFF[0] + (FIRST_ANSWER_OCTETS + HANDSHAKE_OCTETS) / rate + 4 * 2 * LATENCY
        assert (reopened > RECONNECT_GRACE) == (rate < 11_520)
        assert (signed[DIGEST], world.manager.connects) == (1, 2)

    tell(tmp_path, slow, story)


@pytest.mark.parametrize("count", [1, 2, 5, OUTSTANDING_LIMIT])
def test_a_device_that_is_away_is_told_in_time(tmp_path: Path, slow: SerialCable, rate: float, count: int) -> None:
    async def story(world: World) -> None:
        await asyncio.sleep(1)
        world.noise.silence = True
        for ckr, seconds in await asyncio.gather(*(refusal(world) for _ in range(count))):
            assert ckr is Ckr.DEVICE_ERROR
            assert seconds == pytest.approx(Pace(rate).lost_after + Pace(rate).first_answer_time)
            assert rate < 11_520 or seconds < 2.0
        assert await refusal(world) == (Ckr.DEVICE_REMOVED, 0.0)

    tell(tmp_path, slow, story)


def test_a_line_that_cannot_be_opened_fails_fast(tmp_path: Path, slow: SerialCable, rate: float) -> None:
    async def story(world: World) -> None:
        await asyncio.sleep(HANG_UPS_APART)
        world.noise.silence = True
        slow.say_to_pc(NO_CARRIER)
        ckr, seconds = await refusal(world)
        assert ckr is Ckr.DEVICE_REMOVED
        assert seconds == pytest.approx(Pace(rate).first_answer_time)

    tell(tmp_path, slow, story)


def test_a_device_that_answers_and_then_falls_silent_is_waited_for_once(
    tmp_path: Path, slow: SerialCable, rate: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(world: World) -> None:
        await asyncio.sleep(HANG_UPS_APART)
        write_leave(world)
        await world.until(lambda: world.manager.state is State.AWAY)
        monkeypatch.setattr(DeviceLine, "_receive", lambda line, frame: None)
        ckr, seconds = await refusal(world)
        assert ckr is Ckr.DEVICE_REMOVED
        assert seconds <= Pace(rate).first_answer_time + Pace(rate).opening_time

    tell(tmp_path, slow, story)
