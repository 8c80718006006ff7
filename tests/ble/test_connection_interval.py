"""A quick connection interval while the phone is used, a calm one when it is not: asked by it, granted by the PC."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from bumble.device import Connection
from bumble.l2cap import L2CAP_LE_SIGNALING_CID, L2CAP_Connection_Parameter_Update_Request

from fob_device.ports.ble.signaling import Signaling
from fob_device.ports.ble.tempo import CALM_AFTER, FIRST_ASK_AFTER
from fob_device.radio.ends import EVENTS_TO_INSTANT
from fob_device.radio.radio import INTERVAL, Radio
from fob_protocol import catalogue
from fob_protocol.limits import KEEPALIVE
from fob_protocol.link.times import Times
from fob_protocol.pkcs11.ckr import Ckr
from support.radio_cable import PHONE, RadioCable
from support.virtual_loop import run_virtually
from support.world import World, counted_signatures

pytestmark = pytest.mark.clause("P7")

# Milliseconds.
QUICK, CALM = 15.0, 30.0
# Question, answer with announcement, and the events until it counts.
EVENTS_TO_CHANGE = 2 + EVENTS_TO_INSTANT
ROUNDING = 1e-6


def now() -> float:
    return asyncio.get_running_loop().time()


class Used:
    """A world by radio, and the intervals that the computer's host was told, in milliseconds, and when."""

    def __init__(self, world: World, cable: RadioCable) -> None:
        self.world = world
        self.cable = cable
        self.told: list[tuple[float, float]] = []
        [self.connection] = self.device.connections.values()
        self.connection.on(
            Connection.EVENT_CONNECTION_PARAMETERS_UPDATE, lambda: self.told.append((self.interval, now()))
        )

    @property
    def device(self) -> Any:
        """The phone's host."""
        assert self.cable._station is not None
        return self.cable._station._device

    @property
    def interval(self) -> float:
        """As the phone's host knows it."""
        return float(self.connection.parameters.connection_interval)

    async def sign(self, handle: int) -> None:
        answer = await self.world.manager.request(catalogue.SIGN.build(handle, None, bytes(32)), timeout=60)
        assert answer.ckr == Ckr.OK

    async def become_quick(self, handle: int) -> None:
        """Two signatures, one soon after the other, and the time that the change takes."""
        await asyncio.sleep(FIRST_ASK_AFTER)
        await self.sign(handle)
        await self.sign(handle)
        await asyncio.sleep(EVENTS_TO_CHANGE * self.interval / 1000)

    async def ask(self, times: Times) -> bool:
        """The phone asks for any times."""
        return await Signaling(self.device.l2cap_channel_manager).ask(self.connection, times)

    async def signatures_take_two_intervals(self, handle: int) -> None:
        seconds = self.interval / 1000
        for _ in range(3):
            await asyncio.sleep(5.3 * seconds)
            before, began = self.cable.air.counters_of(PHONE).copy(), now()
            await self.sign(handle)
            crossed = self.cable.air.counters_of(PHONE) - before
            assert (crossed.to_peripheral.events, crossed.to_central.events) == (1, 1)
            assert now() - began <= 2 * seconds + ROUNDING


@asynccontextmanager
async def used(
    folder: Path, *, interval: float = INTERVAL, tells: bool = True, asks: bool = True
) -> AsyncIterator[Used]:
    """Paired and connected, and nothing asked yet."""
    cable = RadioCable(folder, interval=interval, tells=tells, asks=asks)
    world = await World.paired(folder, 1, cable=cable)
    try:
        yield Used(world, cable)
    finally:
        await world.close()


@pytest.mark.clause("P9")
@pytest.mark.parametrize("tells", [True, False])
def test_a_session_goes_from_30_to_15_ms_and_back_and_nothing_is_sent_twice(tmp_path: Path, tells: bool) -> None:
    async def story() -> None:
        async with used(tmp_path, tells=tells) as phone:
            handle = await phone.world.new_key()
            with counted_signatures() as signed:
                await phone.become_quick(handle)
                assert [interval for interval, _ in phone.told] == [QUICK]
                await phone.signatures_take_two_intervals(handle)
                # An interval before its answer.
                last_frame = now() - QUICK / 1000
                await asyncio.sleep(CALM_AFTER + 1)
                assert [interval for interval, _ in phone.told] == [QUICK, CALM]
                events = (phone.told[1][1] - last_frame - CALM_AFTER) / (QUICK / 1000)
                assert EVENTS_TO_CHANGE - 1 < events <= EVENTS_TO_CHANGE
                await phone.signatures_take_two_intervals(handle)
            assert signed[bytes(32)] == 2 + 3 + 3
            manager = phone.world.manager
            assert (manager.counters.sent_again, manager.connects, phone.cable.lines_opened) == (0, 1, 1)

    run_virtually(story())


def test_what_is_under_way_when_the_interval_changes_crosses_once(tmp_path: Path) -> None:
    async def story() -> None:
        async with used(tmp_path) as phone:
            handle = await phone.world.new_key()
            with counted_signatures() as signed:
                await asyncio.sleep(FIRST_ASK_AFTER)
                for _ in range(100):
                    await phone.sign(handle)
                assert [interval for interval, _ in phone.told] == [QUICK]
                # The phone has asked for the calm interval, which comes in the middle of them.
                await asyncio.sleep(CALM_AFTER + 0.03)
                for _ in range(30):
                    await phone.sign(handle)
                assert [interval for interval, _ in phone.told] == [QUICK, CALM, QUICK]
            assert signed[bytes(32)] == 130
            assert (phone.world.manager.counters.sent_again, phone.world.manager.connects) == (0, 1)

    run_virtually(story())


@pytest.mark.parametrize(
    ("began", "quick", "calm"), [(7.5, 7.5, 30.0), (15.0, 15.0, 30.0), (50.0, 15.0, 50.0), (200.0, 15.0, 200.0)]
)
def test_a_computer_that_began_otherwise_gets_its_own_interval_back(
    tmp_path: Path, began: float, quick: float, calm: float
) -> None:
    async def story() -> None:
        async with used(tmp_path, interval=began / 1000) as phone:
            handle = await phone.world.new_key()
            for _ in range(2):
                await phone.become_quick(handle)
                assert phone.interval == quick
                await asyncio.sleep(CALM_AFTER + 2)
                assert phone.interval == calm
            assert phone.world.manager.counters.sent_again == 0

    run_virtually(story())


def test_signs_of_life_ask_for_nothing_and_an_idle_phone_stays_calm(tmp_path: Path) -> None:
    async def story() -> None:
        async with used(tmp_path) as phone:
            handle = await phone.world.new_key()
            await phone.become_quick(handle)
            await asyncio.sleep(CALM_AFTER + 1)
            told, probes = len(phone.told), phone.world.manager.counters.keepalives
            before = phone.cable.air.counters_of(PHONE).copy()
            await asyncio.sleep(4.5 * KEEPALIVE)
            crossed = phone.cable.air.counters_of(PHONE) - before
            assert phone.world.manager.counters.keepalives == probes + 4
            assert (crossed.to_peripheral.packets, crossed.to_central.packets) == (4, 4)
            assert len(phone.told) == told

    run_virtually(story())


@pytest.mark.parametrize(
    ("times", "is_granted"),
    [
        (Times(interval=6, latency=0, timeout=42), True),
        (Times(interval=12, latency=4, timeout=600), True),
        (Times(interval=160, latency=0, timeout=100), True),
        # What no controller may be told.
        (Times(interval=5, latency=0, timeout=42), False),
        (Times(interval=3201, latency=0, timeout=3200), False),
        (Times(interval=12, latency=500, timeout=600), False),
        (Times(interval=24, latency=0, timeout=6), False),
        (Times(interval=24, latency=6, timeout=42), False),
        # A break would be noticed too late, or the device would hear nothing for more than 4 s.
        (Times(interval=12, latency=0, timeout=601), False),
        (Times(interval=1600, latency=1, timeout=3200), False),
    ],
)
def test_the_pc_grants_what_is_sensible(tmp_path: Path, times: Times, is_granted: bool) -> None:
    async def story() -> None:
        async with used(tmp_path, asks=False) as phone:
            before = phone.connection.parameters
            assert await phone.ask(times) is is_granted
            await asyncio.sleep(1)
            told = phone.connection.parameters
            if is_granted:
                heard = told.connection_interval, told.peripheral_latency, told.supervision_timeout
                assert heard == (1.25 * times.interval, times.latency, 10.0 * times.timeout)
            else:
                assert told == before
            await phone.sign(await phone.world.new_key())

    run_virtually(story())


def test_of_two_questions_at_once_one_is_granted_and_of_a_range_that_is_none_nothing(tmp_path: Path) -> None:
    async def story() -> None:
        async with used(tmp_path, asks=False) as phone:
            phone.device.l2cap_channel_manager.send_control_frame(
                phone.connection,
                L2CAP_LE_SIGNALING_CID,
                L2CAP_Connection_Parameter_Update_Request(
                    identifier=200, interval_min=13, interval_max=12, latency=0, timeout=42
                ),
            )
            await asyncio.sleep(1)
            assert phone.told == []
            one, other = Times(12, 0, 42), Times(16, 0, 42)
            signaling = Signaling(phone.device.l2cap_channel_manager)
            await asyncio.gather(*(signaling.ask(phone.connection, times) for times in (one, other)))
            await asyncio.sleep(1)
            assert [interval for interval, _ in phone.told] == [15.0]

    run_virtually(story())


def test_a_radio_that_grants_nothing_is_asked_once_and_the_line_goes_on(tmp_path: Path) -> None:
    async def story() -> None:
        cable = RadioCable(tmp_path, asks=True)
        cable.air = Radio(hold=True)
        world = await World.paired(tmp_path, 1, cable=cable)
        phone = Used(world, cable)
        handle = await world.new_key()
        await phone.become_quick(handle)
        before = cable.air.counters_of(PHONE).copy()
        for _ in range(20):
            await asyncio.sleep(1)
            await phone.sign(handle)
        await asyncio.sleep(2 * CALM_AFTER)
        crossed = cable.air.counters_of(PHONE) - before
        assert (crossed.to_peripheral.packets, crossed.to_central.packets) == (20, 20)
        assert phone.told == []
        await world.close()

    run_virtually(story())
