"""The workbench and the phone's lines: dropped, out of reach, slow. No answer is wrong, nothing runs twice."""

import asyncio
from collections import Counter
from pathlib import Path

import pytest

from fob_daemon.link.keeper import Traffic
from fob_device.approval.rules import Rule, Rules
from fob_device.workbench.errors import BenchError
from fob_device.workbench.limits import RATE_MAXIMUM, RATE_MINIMUM, SECONDS_LIMIT
from fob_device.workbench.reports import NOBODY, LineReport
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.errors import CkrError
from support.bench_world import BenchWorld, on_the_bench, sign
from support.medium import MEDIA, MakeMedium, Medium
from support.memory_line import LATENCY
from support.world import World, counted_signatures, tell

pytestmark = pytest.mark.clause("P7")

FIRST, SECOND = bytes(32), bytes([1]) * 32
# The person needs so long for a yes.
THINKING = 2.0
THOUGHTFUL = Rules(approvals=(Rule(key="asked", after=THINKING),))
PORT = "test:port"


async def refused(world: World, key: int) -> Ckr:
    """How a signature fails."""
    with pytest.raises(CkrError) as caught:
        await sign(world, key, FIRST)
    return caught.value.ckr


def test_a_line_that_is_dropped_while_the_person_thinks_gives_the_answer_on_the_next_one(
    tmp_path: Path, medium: Medium
) -> None:
    async def story(world: BenchWorld) -> None:
        key = await world.new_key(b"asked")
        with counted_signatures() as signed:
            signing = asyncio.create_task(sign(world, key, FIRST))
            await asyncio.sleep(1)
            before = world.line
            assert world.bench.drop() == 1
            assert world.line.number != before.number
            assert THINKING < await signing < THINKING + 0.2
            assert (signed, world.manager.connects) == ({FIRST: 1}, 2)
            await world.login()
            await sign(world, key, SECOND)
            assert signed == {FIRST: 1, SECOND: 1}

    on_the_bench(tmp_path, story, medium, THOUGHTFUL)


@pytest.mark.parametrize("after", [0.0, 0.001, 0.003, 0.0035])
def test_a_line_that_is_dropped_in_the_midst_of_a_signature(tmp_path: Path, after: float) -> None:
    async def story(world: BenchWorld) -> None:
        key = await world.new_key()
        with counted_signatures() as signed:
            signing = asyncio.create_task(sign(world, key, FIRST))
            await asyncio.sleep(after)
            ran = signed[FIRST]
            world.bench.drop()
            if ran:
                await signing
            else:
                # It never came: it is asked in a session that nobody is logged in to.
                with pytest.raises(CkrError) as caught:
                    await signing
                assert caught.value.ckr == Ckr.USER_NOT_LOGGED_IN
            await world.login()
            await sign(world, key, SECOND)
            assert signed == Counter({FIRST: ran, SECOND: 1})
            assert world.manager.connects == 2

    on_the_bench(tmp_path, story)


def test_one_line_by_its_number(tmp_path: Path) -> None:
    async def story(world: BenchWorld) -> None:
        number = world.line.number
        assert number is not None
        for port, line, words in (
            (None, number, "a line is named with its port"),
            (PORT, number + 1, f"there is no line {number + 1} of {PORT}"),
            ("test:other", None, f"there is no port test:other; there is {PORT}"),
        ):
            with pytest.raises(BenchError) as refusal:
                world.bench.drop(port, line)
            assert str(refusal.value) == words
        assert world.manager.connects == 1
        assert world.bench.drop(PORT, number) == 1
        assert world.bench.drop() == 0
        await asyncio.sleep(1)
        assert (await world.connected()).connects == 2
        assert world.line.number == number + 1

    on_the_bench(tmp_path, story)


@pytest.mark.clause("P14")
def test_a_phone_out_of_reach_goes_on_and_signs_for_nobody_who_is_away(tmp_path: Path, medium: Medium) -> None:
    async def story(world: BenchWorld) -> None:
        key = await world.new_key(b"asked")
        with counted_signatures() as signed:
            signing = asyncio.create_task(refused(world, key))
            await asyncio.sleep(1)
            world.bench.keep_away(5)
            assert world.line == LineReport(PORT, "test")
            assert not world.bench.is_open
            # Whether it was signed nobody at the PC can tell.
            assert await signing == Ckr.DEVICE_ERROR
            await asyncio.sleep(2)
            assert not signed
            assert await refused(world, key) == Ckr.DEVICE_REMOVED
            began = asyncio.get_running_loop().time()
            await world.bench.opened()
            assert asyncio.get_running_loop().time() - began < 3
            await world.connected()
            await world.login()
            await sign(world, key, SECOND)
            assert signed == {SECOND: 1}
            assert world.manager.connects == 2

    on_the_bench(tmp_path, story, medium, THOUGHTFUL)


def test_who_is_kept_away_again_stays_away_from_then_on(tmp_path: Path) -> None:
    async def story(world: BenchWorld) -> None:
        world.bench.keep_away(5)
        await asyncio.sleep(4)
        world.bench.keep_away(5, PORT)
        await asyncio.sleep(4)
        assert world.bench.report().ports[0].is_away
        world.bench.keep_away(0)
        await world.bench.opened()
        (port,) = world.bench.report().ports
        assert (port.is_away, port.is_open) == (False, True)
        await world.connected()

    on_the_bench(tmp_path, story)


@pytest.mark.parametrize("rate", [960, 11_520, RATE_MAXIMUM])
def test_a_slow_line_takes_its_time_and_not_more(tmp_path: Path, rate: int) -> None:
    async def story(world: BenchWorld) -> None:
        key = await world.new_key()
        with counted_signatures() as signed:
            assert await sign(world, key, FIRST) == pytest.approx(2 * LATENCY)
            world.bench.slow(rate)
            before = world.line
            took = await sign(world, key, SECOND)
            crossed = world.line.octets_in - before.octets_in + world.line.octets_out - before.octets_out
            assert took == pytest.approx(2 * LATENCY + crossed / rate)
            assert signed == {FIRST: 1, SECOND: 1}
            world.bench.slow(None, PORT)
            assert await sign(world, key, SECOND) == pytest.approx(2 * LATENCY)
            assert world.manager.connects == 1

    on_the_bench(tmp_path, story)


def test_on_a_line_slower_than_its_computer_reckons_with_a_request_is_asked_again_and_runs_once(tmp_path: Path) -> None:
    async def story(world: BenchWorld) -> None:
        key = await world.new_key()
        with counted_signatures() as signed:
            world.bench.slow(400)
            before = world.line
            assert await sign(world, key, FIRST) == pytest.approx(2 * LATENCY + 167 / 400)
            assert (world.line.octets_in - before.octets_in, world.line.octets_out - before.octets_out) == (144, 95)
            await asyncio.sleep(1)
            assert world.manager.counters.sent_again == 1
            assert (signed, world.manager.connects) == ({FIRST: 1}, 1)

    on_the_bench(tmp_path, story)


def test_a_line_so_slow_that_it_is_taken_for_dead_ends_a_signature_cleanly(tmp_path: Path, medium: Medium) -> None:
    async def story(world: BenchWorld) -> None:
        key = await world.new_key()
        with counted_signatures() as signed:
            world.bench.slow(RATE_MINIMUM)
            assert await refused(world, key) == Ckr.DEVICE_ERROR
            world.bench.slow(None)
            await world.connected()
            await world.login()
            await sign(world, key, SECOND)
            assert signed == {SECOND: 1}

    on_the_bench(tmp_path, story, medium)


def test_a_line_that_turns_slow_and_fast_while_octets_cross_keeps_their_order(tmp_path: Path, medium: Medium) -> None:
    async def story(world: BenchWorld) -> None:
        key = await world.new_key()
        digests = [bytes([number]) * 32 for number in range(20)]
        with counted_signatures() as signed:
            signing = [asyncio.create_task(sign(world, key, digest)) for digest in digests]
            for rate in (2_000, None, 500, 5_000, 1_000, None):
                await asyncio.sleep(0.05)
                world.bench.slow(rate)
            await asyncio.gather(*signing)
        assert signed == dict.fromkeys(digests, 1)
        assert world.bench.report().frames_damaged == 0
        assert world.manager.traffic().damaged == 0
        assert world.manager.connects == 1

    on_the_bench(tmp_path, story, medium)


def test_what_was_on_its_way_is_gone_with_its_connection(tmp_path: Path) -> None:
    async def story(world: BenchWorld) -> None:
        world.bench.slow(RATE_MINIMUM)
        asking = asyncio.create_task(world.login())
        await asyncio.sleep(0.5)
        # Some octets of the request have arrived, and the rest comes in no later connection.
        world.bench.drop()
        world.bench.slow(None)
        await asking
        assert world.manager.connects == 2
        assert world.manager.traffic().damaged == 0

    on_the_bench(tmp_path, story)


def test_who_is_connected(tmp_path: Path, medium: Medium) -> None:
    async def story(world: BenchWorld) -> None:
        await world.login()
        assert world.line.computer == "me@pc"
        sent, received = world.line.octets_in, world.line.octets_out
        before = world.manager.traffic()
        await world.login()
        after = world.manager.traffic()
        assert world.line.octets_in - sent == after.octets_sent - before.octets_sent
        assert world.line.octets_out - received == after.octets_received - before.octets_received
        await world.disconnect()
        await asyncio.sleep(3)
        assert world.line.computer == NOBODY

    on_the_bench(tmp_path, story, medium)


def test_a_computer_that_is_unpaired_is_nobody(tmp_path: Path) -> None:
    async def story(world: BenchWorld) -> None:
        world.forget_pc()
        assert world.line.computer == NOBODY

    on_the_bench(tmp_path, story)


@pytest.mark.parametrize("medium_of", MEDIA.values(), ids=MEDIA)
def test_a_phone_on_the_workbench_is_as_fast_as_without_one(tmp_path: Path, medium_of: MakeMedium) -> None:
    """Not an octet more crosses, and nothing takes time."""
    crossed: list[Traffic] = []

    async def story(world: World) -> None:
        key = await world.new_key()
        before = world.manager.traffic()
        for number in range(20):
            took = await sign(world, key, bytes([number]) * 32)
            assert took <= world.cable.trips(1)[1]
        after = world.manager.traffic()
        crossed.append(Traffic(after.octets_sent - before.octets_sent, after.octets_received - before.octets_received))

    for name in ("with", "without"):
        (tmp_path / name).mkdir()
    on_the_bench(tmp_path / "with", story, medium_of(tmp_path / "with"))
    tell(tmp_path / "without", medium_of(tmp_path / "without"), story)
    assert crossed[0] == crossed[1]


@pytest.mark.parametrize("seconds", [-1, SECONDS_LIMIT + 1, float("nan"), float("inf")])
def test_times_have_bounds(tmp_path: Path, seconds: float) -> None:
    async def story(world: BenchWorld) -> None:
        for verb in (world.bench.keep_away, world.bench.cut_power):
            with pytest.raises(BenchError, match=f"seconds: from 0 to {SECONDS_LIMIT}"):
                verb(seconds)
        assert world.bench.is_open

    on_the_bench(tmp_path, story)


@pytest.mark.parametrize("rate", [-1, 0, RATE_MINIMUM - 1, RATE_MAXIMUM + 1])
def test_rates_have_bounds(tmp_path: Path, rate: int) -> None:
    async def story(world: BenchWorld) -> None:
        with pytest.raises(BenchError, match="octets per second: from 10 to 1000000"):
            world.bench.slow(rate)
        with pytest.raises(BenchError, match="there is no port"):
            world.bench.slow(960, "test:other")
        assert world.bench.report().ports[0].octets_per_second is None

    on_the_bench(tmp_path, story)
