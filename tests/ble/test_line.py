"""One line by radio: its values in order, one by one, and bounded; connecting that fails, hangs or is given up."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from fob_daemon.link.ble.deadlines import CONNECT_TIME, FIND_TIME, GHOST_TIME
from fob_daemon.link.ble.hci.stack import HciStack
from fob_daemon.link.ble.line import UNSENT_LIMIT
from fob_daemon.link.ble.radio import Radio
from fob_daemon.link.transport import LineUnavailableError
from fob_device.radio.radio import INTERVAL
from fob_protocol.link.gatt import PROVING_TIME
from support.radio_cable import PC, RadioCable
from support.virtual_loop import run_virtually
from support.world import World

# What the phone says of a command that it does not know.
UNKNOWN = b"\r\n+CME ERROR: 4\r\n"


class Heard:
    """What came over a line."""

    def __init__(self) -> None:
        self.octets = b""

    def __call__(self, octets: bytes) -> None:
        self.octets += octets

    async def until(self, octets: bytes, count: int = 1) -> None:
        async with asyncio.timeout(60):
            while self.octets.count(octets) < count:  # noqa: ASYNC110 - virtual time
                await asyncio.sleep(0.01)


@asynccontextmanager
async def bonded(folder: Path, *, mtu: int = 517) -> AsyncIterator[RadioCable]:
    """A radio that is bonded with a phone, in command state."""
    cable = RadioCable(folder, mtu=mtu)
    world = await World.paired(folder, 1, cable=cable)
    await world.disconnect()
    yield cable
    await world.close()


@pytest.mark.clause("P7")
@pytest.mark.parametrize("mtu", [23, 247, 517])
def test_a_burst_arrives_in_order_and_is_answered_in_order(tmp_path: Path, mtu: int) -> None:
    async def story() -> None:
        async with bonded(tmp_path, mtu=mtu) as cable:
            heard = Heard()
            line = await cable.open(cable.url, heard)
            # The phone echoes each line, and knows no such command.
            sent = [b"AT" + b" " * 191 + b"+X%04d\r" % number for number in range(200)]
            for command in sent:
                line.write(command)
            await heard.until(UNKNOWN, len(sent))
            assert heard.octets == b"".join(command + UNKNOWN for command in sent)
            assert (line.octets_sent, line.octets_received) == (40_000, len(heard.octets))
            line.close()

    run_virtually(story())


@pytest.mark.clause("P7")
def test_a_line_that_takes_nothing_is_closed_at_a_bound(tmp_path: Path) -> None:
    async def story() -> None:
        async with bonded(tmp_path) as cable:
            line = await cable.open(cable.url, Heard())
            cable.unplug()
            line.write(bytes(UNSENT_LIMIT))
            assert not line.lost.is_set()
            line.write(b"!")
            assert line.lost.is_set()
            # What is written from now on vanishes.
            sent = line.octets_sent
            line.write(b"!")
            assert line.octets_sent == sent

    run_virtually(story())


@pytest.mark.clause("P7")
def test_a_phone_that_is_carried_away_ends_the_line(tmp_path: Path) -> None:
    async def story() -> None:
        async with bonded(tmp_path) as cable:
            line = await cable.open(cable.url, Heard())
            cable.unplug()
            async with asyncio.timeout(30):
                await line.lost.wait()

    run_virtually(story())


def test_nothing_is_heard_after_the_close(tmp_path: Path) -> None:
    async def story() -> None:
        async with bonded(tmp_path) as cable:
            heard = Heard()
            line = await cable.open(cable.url, heard)
            line.write(b"AT\r")
            line.close()
            line.close()
            await asyncio.sleep(5)
            assert heard.octets == b""

    run_virtually(story())


def test_a_second_line_to_a_device_ends_the_first(tmp_path: Path) -> None:
    async def story() -> None:
        async with bonded(tmp_path) as cable:
            first = await cable.open(cable.url, Heard())
            second = await cable.open(cable.url, Heard())
            assert first.lost.is_set()
            assert not second.lost.is_set()
            second.close()

    run_virtually(story())


@pytest.mark.clause("P7")
def test_a_device_that_advertises_and_does_not_connect_is_given_up_in_time(tmp_path: Path) -> None:
    async def story() -> None:
        async with bonded(tmp_path) as cable:
            # Heard, and gone before it is connected with.
            connect = cable.radio._scanner.paused

            @asynccontextmanager
            async def carried_away() -> AsyncIterator[None]:
                async with connect():
                    cable.unplug()
                    yield

            cable.radio._scanner.paused = carried_away  # type: ignore[method-assign]  # the moment is hard to hit
            loop = asyncio.get_running_loop()
            began = loop.time()
            with pytest.raises(LineUnavailableError, match="connecting took longer than 10 s"):
                await cable.open(cable.url, Heard())
            assert loop.time() - began < FIND_TIME + CONNECT_TIME
            # The controller does not go on trying.
            assert cable.air.find(PC).pending_le_connection is None

            cable.radio._scanner.paused = connect  # type: ignore[method-assign]
            cable.plug_in()
            (await cable.open(cable.url, Heard())).close()

    run_virtually(story())


@pytest.mark.clause("P7")
def test_pairing_with_a_phone_that_does_not_connect_says_how_long_it_has_tried(tmp_path: Path) -> None:
    async def story() -> None:
        async with bonded(tmp_path) as cable:
            connect = cable.radio._scanner.paused

            @asynccontextmanager
            async def unreachable() -> AsyncIterator[None]:
                async with connect():
                    cable.unplug()
                    try:
                        yield
                    finally:
                        cable.plug_in()

            cable.radio._scanner.paused = unreachable  # type: ignore[method-assign]  # the moment is hard to hit
            loop = asyncio.get_running_loop()
            began = loop.time()
            with pytest.raises(LineUnavailableError) as caught:
                await cable.open_to_pair(cable.url, Heard())
            seconds = loop.time() - began
            assert GHOST_TIME <= seconds < GHOST_TIME + CONNECT_TIME + FIND_TIME
            assert caught.value.why == f"connecting took longer than 10 s; tried 3 times in {seconds:.0f} s"

    run_virtually(story())


@pytest.mark.clause("P7")
def test_pairing_waits_for_a_phone_that_still_holds_a_connection_nobody_here_knows(tmp_path: Path) -> None:
    async def story() -> None:
        async with bonded(tmp_path) as cable:
            connect = cable.radio._scanner.paused
            loop = asyncio.get_running_loop()
            attempts: list[float] = []

            @asynccontextmanager
            async def unreachable() -> AsyncIterator[None]:
                async with connect():
                    if not attempts:
                        attempts.append(loop.time())
                        cable.unplug()
                        # A phone gives such a connection up after that time.
                        loop.call_later(PROVING_TIME, cable.plug_in)
                    yield

            cable.radio._scanner.paused = unreachable  # type: ignore[method-assign]  # the moment is hard to hit
            began = loop.time()
            line = await cable.open_to_pair(cable.url, Heard())
            assert PROVING_TIME < loop.time() - began < PROVING_TIME + CONNECT_TIME + FIND_TIME
            line.close()

    run_virtually(story())


def test_whoever_gives_up_connecting_leaves_nothing_behind(tmp_path: Path) -> None:
    async def story() -> None:
        async with bonded(tmp_path) as cable:
            # At every stage of it: finding, connecting, discovering, encrypting, subscribing.
            for moment in range(1, 24):
                opening = asyncio.create_task(cable.open(cable.url, Heard()))
                await asyncio.sleep(moment * INTERVAL)
                opening.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await opening
                await asyncio.sleep(1)
                assert cable.air.find(PC).pending_le_connection is None
                assert not cable.air.find(PC).le_connections
                assert not cable.air.find(PC).le_scan_enable
            (await cable.open(cable.url, Heard())).close()

    run_virtually(story())


@pytest.mark.clause("P7")
def test_a_controller_that_vanishes_is_used_again_when_it_is_back(tmp_path: Path) -> None:
    async def story() -> None:
        async with bonded(tmp_path) as cable:
            line = await cable.open(cable.url, Heard())
            cable.unplug_controller()
            assert line.lost.is_set()
            # The phone finds out by the supervision timeout.
            await asyncio.sleep(10)
            (await cable.open(cable.url, Heard())).close()

    run_virtually(story())


def test_a_controller_that_is_not_there_is_named(tmp_path: Path) -> None:
    async def story() -> None:
        socket = tmp_path / "hci"
        radio = Radio(HciStack.at(f"unix-client:{socket}", tmp_path))
        with pytest.raises(LineUnavailableError) as caught:
            await radio.scan(1)
        assert caught.value.why.startswith(f"there is no Bluetooth controller at unix-client:{socket}: ")
        await radio.close()

    asyncio.run(story())
