"""Long connection intervals: everything takes its time, works as it does at short ones, and crosses once."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from fob_daemon.control.interface import DeviceState
from fob_daemon.device.device import QUIET_TIME, READING, SETTLE_TIME, UNKNOWN, Device
from fob_daemon.device.pairing_time import PAIRING_LIMIT
from fob_daemon.device.registry import PairedDeviceEntry
from fob_daemon.device.slot import open_slot
from fob_daemon.link.fate import FateUnknownError
from fob_daemon.link.keeper import State
from fob_daemon.link.manager import LinkManager
from fob_daemon.link.opening import ASK, WAKE
from fob_device.approval.questions import Decider
from fob_device.approval.rules import Rule, Rules
from fob_device.radio.counters import Counters as AirCounters
from fob_device.radio.radio import INTERVAL
from fob_protocol import catalogue
from fob_protocol.at.answer import Answer
from fob_protocol.limits import FRAME_LIMIT, KEEPALIVE, PAIRING_TIME
from fob_protocol.link.frames import FrameReader, Kind
from fob_protocol.link.gatt import LONGEST_INTERVAL, MTU_LEAST, MTU_OFFERED, SHORTEST_INTERVAL
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.errors import CkrError
from support.fake_device_office import without_office
from support.noise import Tap
from support.radio_cable import PHONE, RadioCable
from support.virtual_loop import run_virtually
from support.world import World, counted_signatures

pytestmark = pytest.mark.clause("P7")

INTERVALS = (SHORTEST_INTERVAL, INTERVAL, 0.1, 0.2, 0.5, 1.0, LONGEST_INTERVAL)
# Of a stack that does not tell the interval, bonding has to be done before any was measured.
UNTOLD_INTERVALS = INTERVALS[:-1]
SLOW = (0.2, 0.5, 1.0, LONGEST_INTERVAL)
SIGNATURES = 5
OPEN = b"AT+FOBOPEN=1\r"
INFO = catalogue.GET_TOKEN_INFO.build()
# Of a sum of intervals.
ROUNDING = 1e-6
# A person who is slow too, and one whose answer nobody sees.
THINKING = 35.0
THINKS = Rules(approvals=(Rule(key="asked", after=THINKING),))


class Overheard:
    """What is written on the line from now on: the octets to the phone, and the records of both sides."""

    def __init__(self, cable: RadioCable) -> None:
        self.to_phone = bytearray()
        self._readers = FrameReader(), FrameReader()
        self._records: list[tuple[Kind, bytes]] = []
        cable.taps.append(Tap(self._down, lambda octets: self._read(1, octets)))

    def records(self, *kinds: Kind) -> Counter[tuple[Kind, bytes]]:
        """How often each record crossed, of some kinds or of all."""
        return Counter(record for record in self._records if not kinds or record[0] in kinds)

    def _down(self, octets: bytes) -> None:
        self.to_phone += octets
        self._read(0, octets)

    def _read(self, way: int, octets: bytes) -> None:
        self._records += [
            (frame.kind, frame.to_bytes()) for frame in self._readers[way].feed(octets) if frame.kind >= Kind.REQUEST
        ]


class SlowAir:
    """A world on air of an interval, paired and connected, and overheard from its link's beginning."""

    def __init__(
        self,
        folder: Path,
        interval: float,
        mtu: int = MTU_OFFERED,
        *,
        tells: bool = True,
        loss: float = 0.0,
        person: Decider | None = None,
    ) -> None:
        self.interval = interval
        self.cable = RadioCable(folder, interval=interval, mtu=mtu, tells=tells, loss=loss)
        self.world = World(folder, 1, person or Rules(), self.cable)

    async def __aenter__(self) -> "SlowAir":
        self.world._device_key = (await self.world.pair()).key
        self.overheard = Overheard(self.cable)
        self.world.link = self.world.new_link()
        self.world._running = asyncio.create_task(self.world.link.run())
        await self.session()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.world.close()

    @property
    def manager(self) -> LinkManager:
        return self.world.manager

    async def session(self, patience: float = 300.0) -> None:
        """Wait for one."""
        await self.world.until(lambda: self.manager.greeting is not None, patience)

    async def sign(self, handle: int) -> Answer:
        return await self.manager.request(catalogue.SIGN.build(handle, None, bytes(32)), timeout=60)

    async def quiet(self) -> None:
        """Nothing is on its way any more, and it is no moment of a connection event."""
        await asyncio.sleep(5.3 * self.interval)

    def slow_down(self, interval: float) -> None:
        """The connection that there is has longer intervals from now on."""
        [end] = self.cable.air._connections
        end.air._anchor, end.air._last_event, end.air._interval = self.now(), 0, interval

    def crossed(self) -> AirCounters:
        return self.cable.air.counters_of(PHONE).copy()

    def now(self) -> float:
        return asyncio.get_running_loop().time()


@asynccontextmanager
async def paired_device(world: World) -> AsyncIterator[Device]:
    """The phone as the daemon has it when it was paired a moment ago."""
    world._device_key = (await world.pair()).key
    link = world.new_link()
    entry = PairedDeviceEntry("phone", world._device_key.hex(), "1", (world.cable.url.text,), 1, 0.0)
    device = Device(entry, link, open_slot(1, "phone", link), without_office(link))
    device.start()
    try:
        yield device
    finally:
        await device.end()
        await world.close()


def assert_opened_at_once(air: SlowAir) -> None:
    said = bytes(air.overheard.to_phone)
    assert (said.count(WAKE), said.count(ASK), said.count(OPEN)) == (1, 1, 1)
    assert (air.cable.lines_opened, air.manager.connects) == (1, 1)


def assert_every_record_crossed_once(air: SlowAir) -> None:
    assert set(air.overheard.records().values()) == {1}
    assert air.manager.counters.sent_again == 0


async def signatures_take(air: SlowAir, there: int, back: int) -> None:
    """So many connection events each, as at every interval."""
    handle = await air.world.new_key()
    for _ in range(SIGNATURES):
        await air.quiet()
        before, began = air.crossed(), air.now()
        assert (await air.sign(handle)).ckr == Ckr.OK
        crossed = air.crossed() - before
        assert (crossed.to_peripheral.events, crossed.to_central.events) == (there, back)
        assert (air.now() - began) / air.interval <= there + back + ROUNDING


@pytest.mark.clause("P9")
@pytest.mark.parametrize(("mtu", "back"), [(MTU_OFFERED, 1), (MTU_LEAST, 2)])
@pytest.mark.parametrize(
    ("interval", "tells"),
    [*((interval, True) for interval in INTERVALS), *((interval, False) for interval in UNTOLD_INTERVALS)],
)
def test_at_every_interval_a_session_opens_and_signs_and_nothing_is_sent_twice(
    tmp_path: Path, interval: float, tells: bool, mtu: int, back: int
) -> None:
    """A signature's 95 octets are five values at an MTU of 23, and an event carries four of them."""

    async def story() -> None:
        async with SlowAir(tmp_path, interval, mtu, tells=tells) as air:
            assert_opened_at_once(air)
            await signatures_take(air, 1, back)
            # It comes in parts.
            (await air.manager.request(catalogue.GENERATE_RANDOM.build(2000), timeout=60)).raise_for_ckr()
            # The line is probed while it is idle.
            probes = air.manager.counters.keepalives
            began = air.now()
            await air.world.until(lambda: air.manager.counters.keepalives == probes + 3, 4 * KEEPALIVE)
            assert air.now() - began + 3 * interval >= 3 * KEEPALIVE
            await air.quiet()
            assert_every_record_crossed_once(air)
            assert air.manager.connects == 1

    run_virtually(story())


@pytest.mark.parametrize("interval", SLOW)
def test_who_waits_for_the_person_is_announced_once_and_answered(tmp_path: Path, interval: float) -> None:
    async def story() -> None:
        async with SlowAir(tmp_path, interval, person=THINKS) as air:
            handle = await air.world.new_key(b"asked")
            await air.quiet()
            began = air.now()
            assert (await air.sign(handle)).ckr == Ckr.OK
            assert THINKING < air.now() - began <= THINKING + 2 * interval + ROUNDING
            await air.quiet()
            overheard = air.overheard
            assert set(overheard.records(Kind.REQUEST, Kind.ANSWER, Kind.EVENT, Kind.EVENT_RECEIVED).values()) == {1}
            assert sum(overheard.records(Kind.EVENT).values()) == sum(overheard.records(Kind.EVENT_RECEIVED).values())
            assert air.manager.connects == 1

    run_virtually(story())


@pytest.mark.parametrize("interval", SLOW)
def test_an_answer_that_is_lost_is_asked_for_again_in_bounded_time(tmp_path: Path, interval: float) -> None:
    async def story() -> None:
        async with SlowAir(tmp_path, interval) as air:
            handle = await air.world.new_key()
            await air.quiet()
            pace, began, before = air.manager.line_pace, air.now(), air.overheard.records(Kind.REQUEST)
            signing = asyncio.create_task(air.sign(handle))
            # Both values arrive, and what comes out of GATT is lost above it.
            await asyncio.sleep(0)
            air.world.noise.silence = True
            await asyncio.sleep(2.5 * interval)
            air.world.noise.silence = False
            assert (await signing).ckr == Ckr.OK
            [(_, times)] = (air.overheard.records(Kind.REQUEST) - before).items()
            assert (times, air.manager.counters.sent_again, air.manager.connects) == (2, 1, 1)
            due = pace.retry_after + pace.crossing(2 * FRAME_LIMIT)
            assert air.now() - began <= due + 2 * interval + ROUNDING

    run_virtually(story())


@pytest.mark.parametrize("interval", [INTERVAL, *SLOW])
def test_a_phone_that_falls_silent_is_given_up_after_the_time_of_its_pace(tmp_path: Path, interval: float) -> None:
    async def story() -> None:
        async with SlowAir(tmp_path, interval) as air:
            await air.quiet()
            pace, began = air.manager.line_pace, air.now()
            air.world.noise.silence = True
            with pytest.raises(CkrError) as caught:
                await air.manager.request(INFO, timeout=60)
            assert caught.value.ckr == Ckr.DEVICE_ERROR
            assert air.now() - began == pytest.approx(pace.lost_after + pace.first_answer_time)
            assert air.manager.counters.sent_again >= 3

    run_virtually(story())


@pytest.mark.parametrize("interval", [INTERVAL, *SLOW])
def test_a_connection_that_breaks_is_made_again_and_programs_do_not_notice(tmp_path: Path, interval: float) -> None:
    async def story() -> None:
        async with SlowAir(tmp_path, interval) as air:
            # The phone has heard of the session.
            await air.quiet()
            air.cable.hang_up()
            assert (await air.manager.request(INFO, timeout=60)).ckr == Ckr.OK
            assert air.manager.connects == 2

    run_virtually(story())


@pytest.mark.parametrize("interval", SLOW)
def test_a_phone_out_of_range_is_missed_and_found_again(tmp_path: Path, interval: float) -> None:
    async def story() -> None:
        async with SlowAir(tmp_path, interval) as air:
            await air.quiet()
            air.cable.unplug()
            # No supervision timeout is shorter than two intervals.
            await air.world.until(lambda: air.manager.state is State.AWAY, 0.5 + 2 * interval)
            await asyncio.sleep(60)
            air.cable.plug_in()
            await air.session()
            assert (await air.manager.request(INFO, timeout=60)).ckr == Ckr.OK

    run_virtually(story())


@pytest.mark.parametrize("interval", [INTERVAL, *SLOW])
def test_who_pairs_hears_so_when_the_first_list_of_keys_is_there(tmp_path: Path, interval: float) -> None:
    async def story() -> None:
        air = SlowAir(tmp_path, interval)
        heard: list[str] = []
        async with paired_device(air.world) as device:
            states: list[tuple[DeviceState, bool]] = []
            device.on_change(lambda: states.append((device.report().state, device.slot.has_token)))
            began = air.now()
            await device.settled(heard.append)
            assert heard == ([READING] if air.now() - began > QUIET_TIME else [])
            # By radio the link is up some moments before anybody could use a key.
            assert device.link.state is State.READY
            assert (DeviceState.CONNECTING, False) in states
            assert [known for state, known in states if state is DeviceState.READY] == [True]
            assert states[-1] == (DeviceState.READY, True)
            assert device.link.counters.sent_again == 0

    run_virtually(story())


def test_who_pairs_waits_also_while_a_link_that_broke_comes_back(tmp_path: Path) -> None:
    async def story() -> None:
        air = SlowAir(tmp_path, SLOW[0])
        async with paired_device(air.world) as device:
            settling = asyncio.create_task(device.settled(lambda words: None))
            await device.link.ready()
            assert (device.report().state, device.report().why) == (DeviceState.CONNECTING, UNKNOWN)
            air.cable.unplug()
            await air.world.until(lambda: device.link.state is State.AWAY, 5)
            air.cable.plug_in()
            await settling
            assert device.report().state is DeviceState.READY

    run_virtually(story())


def test_at_the_longest_interval_a_pairing_is_given_the_time_that_it_takes(tmp_path: Path) -> None:
    async def story() -> None:
        air = SlowAir(tmp_path, LONGEST_INTERVAL)
        began = air.now()
        async with paired_device(air.world) as device:
            await device.settled(lambda words: None)
            took = air.now() - began
        # The rules answer at once: a person's time comes to that.
        assert 200 < took < PAIRING_LIMIT - PAIRING_TIME

    run_virtually(story())


@pytest.mark.parametrize("interval", [INTERVAL, *SLOW])
def test_who_pairs_with_a_phone_that_is_then_carried_away_is_not_kept_waiting(tmp_path: Path, interval: float) -> None:
    async def story() -> None:
        air = SlowAir(tmp_path, interval)
        async with paired_device(air.world) as device:
            air.cable.unplug()
            began = air.now()
            await device.settled(lambda words: None)
            assert device.report().state is DeviceState.AWAY
            # At the longest one the connection that it was paired over ends no sooner than after 8 s.
            assert air.now() - began <= SETTLE_TIME * (1 if interval <= 1.0 else 2) + ROUNDING

    run_virtually(story())


@pytest.mark.parametrize("tells", [True, False])
def test_at_the_intervals_that_computers_choose_a_program_hears_within_two_seconds(tmp_path: Path, tells: bool) -> None:
    """However the phone goes: out of range, or silent though it is connected."""

    async def story() -> None:
        for part in ("unplug", "silence"):
            (tmp_path / part).mkdir()
            async with SlowAir(tmp_path / part, INTERVAL, tells=tells) as air:
                await air.quiet()
                if part == "unplug":
                    air.cable.unplug()
                else:
                    air.world.noise.silence = True
                began = air.now()
                with pytest.raises(CkrError):
                    await air.manager.request(INFO, timeout=60)
                assert air.now() - began < 2.0

    run_virtually(story())


@pytest.mark.parametrize("later", [0.1, 0.3, 0.5])
def test_an_interval_that_nobody_tells_and_that_grows_is_found_out(tmp_path: Path, later: float) -> None:
    """As when the phone asks for longer ones to save its battery."""

    async def story() -> None:
        async with SlowAir(tmp_path, INTERVAL, tells=False) as air:
            handle = await air.world.new_key()
            await air.quiet()
            air.slow_down(later)
            with counted_signatures() as signed:
                for _ in range(10):
                    assert (await air.sign(handle)).ckr == Ckr.OK
            assert (signed[bytes(32)], air.manager.connects) == (10, 1)
            before = air.manager.counters.sent_again
            assert (await air.sign(handle)).ckr == Ckr.OK
            assert air.manager.counters.sent_again == before

    run_virtually(story())


@pytest.mark.parametrize("later", [1.0, LONGEST_INTERVAL])
def test_one_that_grows_too_much_at_once_costs_what_was_under_way_and_a_new_connection(
    tmp_path: Path, later: float
) -> None:
    """Computers begin a connection with short intervals."""

    async def story() -> None:
        async with SlowAir(tmp_path, INTERVAL, tells=False) as air:
            handle = await air.world.new_key()
            await air.quiet()
            air.slow_down(later)
            with pytest.raises(FateUnknownError):
                await air.sign(handle)
            await air.session()
            assert (await air.manager.request(INFO, timeout=60)).ckr == Ckr.OK
            assert air.manager.connects == 2

    run_virtually(story())


@pytest.mark.parametrize("interval", SLOW)
def test_a_lossy_slow_air_costs_time_and_nothing_else(tmp_path: Path, interval: float) -> None:
    async def story() -> None:
        async with SlowAir(tmp_path, interval, loss=0.1) as air:
            handle = await air.world.new_key()
            for _ in range(20):
                assert (await air.sign(handle)).ckr == Ckr.OK

    run_virtually(story())
