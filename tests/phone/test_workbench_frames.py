"""The workbench and single frames: damaged or lost, in or out. Each hits one frame, and the link mends it."""

import asyncio
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fob_device.approval.rules import Rule, Rules
from fob_device.workbench.errors import BenchError
from fob_device.workbench.interference import Direction, FrameFault, FrameFaults, Harm, damaged
from fob_device.workbench.limits import FRAMES_LIMIT
from fob_protocol.limits import RETRY_AFTER
from fob_protocol.link.frames import DELIMITER, Frame, FrameReader, Kind
from support.bench_world import BenchWorld, on_the_bench, sign
from support.medium import Medium
from support.noise import Tap
from support.world import counted_signatures

pytestmark = pytest.mark.clause("P7")

FIRST, SECOND = bytes(32), bytes([1]) * 32
PORT = "test:port"
THINKING = 2.0
THOUGHTFUL = Rules(approvals=(Rule(key="asked", after=THINKING),))
IN, OUT = Direction.IN, Direction.OUT
# Of a login and a signature with a question, in each direction.
FRAMES = {IN: 3, OUT: 4}

each_fault = pytest.mark.parametrize(
    "fault", [FrameFault(harm, direction) for harm in Harm for direction in Direction], ids=str
)


def arm(world: BenchWorld, fault: FrameFault, frames: int = 1) -> None:
    """The next frames have it."""
    verb = world.bench.damage if fault.harm is Harm.DAMAGE else world.bench.lose
    verb(fault.direction, frames, fault.port)


@each_fault
def test_a_signature_whose_frame_is_hit_is_asked_for_again_and_made_once(
    tmp_path: Path, medium: Medium, fault: FrameFault
) -> None:
    async def story(world: BenchWorld) -> None:
        key = await world.new_key()
        with counted_signatures() as signed:
            again = world.manager.counters.sent_again
            arm(world, fault)
            assert RETRY_AFTER < await sign(world, key, FIRST) < RETRY_AFTER + 0.2
            await sign(world, key, SECOND)
            assert signed == {FIRST: 1, SECOND: 1}
        assert world.manager.counters.sent_again - again == 1
        hits = Counter({fault.harm: 1})
        assert (world.line.frames_damaged, world.line.frames_lost) == (hits[Harm.DAMAGE], hits[Harm.LOSE])
        report = world.bench.report()
        assert (report.frames_damaged, report.frames_lost) == (hits[Harm.DAMAGE], hits[Harm.LOSE])
        assert (report.faults, world.manager.connects) == ((), 1)
        # The PC saw the damage of what came to it, and of nothing else.
        assert world.manager.traffic().damaged == (fault == FrameFault(Harm.DAMAGE, OUT))

    on_the_bench(tmp_path, story, medium)


@each_fault
@pytest.mark.parametrize("after", [0.0, 0.05, 1.0])
def test_a_signature_that_waits_for_the_person_comes_through(
    tmp_path: Path, medium: Medium, fault: FrameFault, after: float
) -> None:
    async def story(world: BenchWorld) -> None:
        key = await world.new_key(b"asked")
        with counted_signatures() as signed:
            signing = asyncio.create_task(sign(world, key, FIRST))
            await asyncio.sleep(after)
            arm(world, fault)
            assert THINKING < await signing < THINKING + 2 * RETRY_AFTER
            await sign(world, key, SECOND)
            assert signed == {FIRST: 1, SECOND: 1}
        assert world.manager.connects == 1

    on_the_bench(tmp_path, story, medium, THOUGHTFUL)


@each_fault
def test_every_frame_of_a_conversation_may_be_hit(tmp_path: Path, fault: FrameFault) -> None:
    """A login, a question and a signature, a few frames each way: one is hit, then the second of another one, ..."""

    async def story(world: BenchWorld) -> None:
        key = await world.new_key(b"asked")
        with counted_signatures() as signed:
            for place in range(max(FRAMES.values()) + 2):
                digest = bytes([place]) * 32
                arm_later(world, fault, place)
                await world.login()
                await sign(world, key, digest)
                world.cable.taps.clear()
                world.bench.calm()
                assert signed[digest] == 1
        assert set(signed.values()) == {1}
        report = world.bench.report()
        assert report.frames_damaged + report.frames_lost == FRAMES[fault.direction]

    on_the_bench(tmp_path, story, decider=Rules(approvals=(Rule(key="asked", after=0.3),)))


def arm_later(world: BenchWorld, fault: FrameFault, place: int) -> None:
    """Hit the frame behind `place` others, once."""
    # A frame to the phone is heard before it arrives, one from the phone after it was hit.
    to_hear = place + (fault.direction is IN)

    def listen(octets: bytes) -> None:
        nonlocal to_hear
        to_hear -= octets.count(DELIMITER)
        if to_hear == 0:
            to_hear = -1
            arm(world, fault)

    world.cable.taps.append(Tap(listen, deaf) if fault.direction is IN else Tap(deaf, listen))
    listen(b"")


def deaf(octets: bytes) -> None:
    """Nobody listens in this direction."""


@each_fault
def test_a_frame_that_comes_octet_by_octet_is_hit_as_one(tmp_path: Path, fault: FrameFault) -> None:
    async def story(world: BenchWorld) -> None:
        key = await world.new_key()
        world.bench.slow(960)
        with counted_signatures() as signed:
            arm(world, fault)
            signing = asyncio.create_task(sign(world, key, FIRST))
            # It is under way already: what comes next is hit as well, but not the rest of this one.
            await asyncio.sleep(0.02)
            arm(world, fault)
            await signing
            assert signed == {FIRST: 1}
        report = world.bench.report()
        assert (report.frames_damaged + report.frames_lost, report.faults) == (2, ())
        assert (world.manager.counters.sent_again, world.manager.connects) == (2, 1)

    on_the_bench(tmp_path, story)


def test_several_frames_and_no_more(tmp_path: Path) -> None:
    async def story(world: BenchWorld) -> None:
        key = await world.new_key()
        with counted_signatures() as signed:
            world.bench.lose(OUT, 3)
            assert 3 * RETRY_AFTER < await sign(world, key, FIRST) < 4 * RETRY_AFTER
            assert signed == {FIRST: 1}
        assert (world.line.frames_lost, world.manager.counters.sent_again) == (3, 3)
        assert world.manager.connects == 1

    on_the_bench(tmp_path, story)


def test_a_link_that_loses_everything_is_made_again_when_it_is_calm(tmp_path: Path, medium: Medium) -> None:
    async def story(world: BenchWorld) -> None:
        key = await world.new_key()
        world.bench.lose(IN, FRAMES_LIMIT)
        await asyncio.sleep(60)
        assert world.manager.greeting is None
        world.bench.calm()
        assert world.bench.report().faults == ()
        await world.connected()
        await world.login()
        with counted_signatures() as signed:
            await sign(world, key, FIRST)
            assert signed == {FIRST: 1}

    on_the_bench(tmp_path, story, medium)


def test_a_fault_waits_for_its_port_and_for_a_frame(tmp_path: Path) -> None:
    async def story(world: BenchWorld) -> None:
        with pytest.raises(BenchError, match="there is no port"):
            world.bench.damage(OUT, 1, "test:other")
        world.bench.damage(OUT, 1, PORT)
        world.bench.cut_power(1)
        assert world.bench.report().faults == (FrameFault(Harm.DAMAGE, OUT, PORT),)
        # The text before data state is no frame: the handshake's answer is hit, and asked for again.
        await world.bench.opened()
        await world.connected()
        assert world.bench.report().frames_damaged == 1

    on_the_bench(tmp_path, story)


@pytest.mark.parametrize("frames", [-1, 0, FRAMES_LIMIT + 1])
def test_frames_have_bounds(tmp_path: Path, frames: int) -> None:
    async def story(world: BenchWorld) -> None:
        for verb in (world.bench.damage, world.bench.lose):
            with pytest.raises(BenchError, match=f"frames: from 1 to {FRAMES_LIMIT}, with those that wait already"):
                verb(IN, frames)
        world.bench.lose(IN, FRAMES_LIMIT, PORT)
        with pytest.raises(BenchError, match="with those that wait already"):
            world.bench.lose(IN)
        assert len(world.bench.report().faults) == FRAMES_LIMIT

    on_the_bench(tmp_path, story)


def test_the_oldest_fault_that_fits_is_taken() -> None:
    faults = FrameFaults()
    faults.add(FrameFault(Harm.LOSE, IN, "a"), 1)
    faults.add(FrameFault(Harm.DAMAGE, OUT), 1)
    faults.add(FrameFault(Harm.DAMAGE, IN), 2)
    assert [faults.take(IN, "b"), faults.take(IN, "a"), faults.take(OUT, "a"), faults.take(OUT, "a")] == [
        Harm.DAMAGE, Harm.LOSE, Harm.DAMAGE, None,
    ]  # fmt: skip
    assert faults.waiting == [FrameFault(Harm.DAMAGE, IN)]
    assert faults.hit == {Harm.DAMAGE: 2, Harm.LOSE: 1}


@given(st.binary(max_size=64))
def test_a_damaged_frame_differs_in_one_octet_and_is_none_any_more(body: bytes) -> None:
    frame = Frame(Kind.HANDSHAKE, (1,), body)
    octets = damaged(frame.to_bytes())
    assert len(octets) == len(frame.to_bytes())
    assert sum(one != other for one, other in zip(octets, frame.to_bytes(), strict=True)) == 1
    assert octets.count(0) == 1
    reader = FrameReader()
    assert list(reader.feed(octets)) == []
    assert reader.damaged == 1


@given(st.binary(min_size=1).filter(lambda piece: 0 not in piece))
def test_a_part_of_a_frame_stays_one(piece: bytes) -> None:
    octets = damaged(piece)
    assert 0 not in octets
    assert sum(one != other for one, other in zip(octets, piece, strict=True)) == 1
