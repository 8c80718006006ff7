"""A set over 9,600 baud: how far it is and how long it takes is true, a cut costs little, and nobody waits for it.

Time is virtual, and octets are counted.
"""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from fob_daemon.cli.watching.known import Known
from fob_daemon.control.json_form import to_json
from fob_daemon.control.office_reports import Progress
from fob_daemon.control.sse import ServerEvent
from fob_device.screen.sheets import ApprovalSheet
from fob_protocol.limits import PART_SIZE
from fob_protocol.office.component import Kind
from fob_protocol.office.envelope import Service
from support.device_bench import releases
from support.noise import Tap
from support.reference_office import ReferenceOffice
from support.slow_office import SlowOffice
from support.virtual_loop import run_virtually

BAUD = 9600
# Of the table two, of echo, of looping, and two of the picture.
CHUNKS = 6
PICTURE = bytes(range(256)) * 60


def over_slow_line(folder: Path, story: Callable[[SlowOffice], Awaitable[None]]) -> None:
    """Nothing is carried before the story lets it."""
    office = ReferenceOffice()
    office.order = [*releases(office), office.signers.release("picture", PICTURE, kind=Kind.DATA)]

    async def whole() -> None:
        world = await SlowOffice.paired_and_unlocked(folder, office, BAUD)
        await story(world)
        world.person.leave()
        await world.close()

    run_virtually(whole())


async def done(world: SlowOffice, steps: int) -> None:
    """So many steps, or more."""
    await world.until(lambda: world.overview.done >= steps, 600)


async def configured(world: SlowOffice) -> None:
    """All of it runs."""
    await world.until(lambda: len(world.overview.components) == 4 and not world.overview.words, 600)


def test_the_time_left_is_what_it_takes_on_the_screen_and_at_the_computer(tmp_path: Path) -> None:
    async def story(world: SlowOffice) -> None:
        clock, monitor = asyncio.get_running_loop().time, Known()
        told: list[tuple[float, float]] = []
        relay = world.carry()

        def look() -> None:
            """What screen and monitor say at this moment."""
            for event in world.heard:
                if isinstance(event, Progress):
                    monitor.hear(ServerEvent("progress", to_json(event)), clock())
            world.heard.clear()
            seen = [world.overview.seconds_left, *(task.time_left.seconds(clock()) for task in monitor.tasks(clock()))]
            told.extend((clock(), seconds) for seconds in seen if seconds is not None)

        while world.overview.state != "trial" and not world.overview.components:
            look()
            await asyncio.sleep(1)
        end = clock()
        assert len(told) > 30
        assert max(abs(at + seconds - end) for at, seconds in told) < 10, "of 45 s"
        await configured(world)
        await relay.close()

    over_slow_line(tmp_path, story)


def test_a_signature_waits_for_no_component(tmp_path: Path) -> None:
    """It is asked for, seen, allowed and there in one round trip, while a chunk is on its way."""

    async def story(world: SlowOffice) -> None:
        relay = world.carry()
        key = await world.new_key()
        await done(world, 15)
        # Into the middle of a chunk, which takes ten seconds.
        await asyncio.sleep(4)
        asked, before, written = len(world.office.asked), world.manager.counters.round_trips, bytearray()
        world.cable.taps.append(Tap(written.extend, lambda octets: None))
        signing = world.begin_to_sign(key)
        await world.sheet(ApprovalSheet)
        # Before the request goes the part that is on the line, and what the other one takes of the line meanwhile.
        assert len(written) < 3 * PART_SIZE
        await world.tap()
        (await signing).raise_for_ckr()
        assert world.manager.counters.round_trips - before == 1, "that of the chunk had begun before"
        assert len(world.office.asked) == asked
        await configured(world)
        await relay.close()

    over_slow_line(tmp_path, story)


def test_after_a_cut_of_the_line_or_of_the_power_it_goes_on_where_it_was(tmp_path: Path) -> None:
    async def story(world: SlowOffice) -> None:
        relay = world.carry()
        seen: list[int] = []
        world.phone.on_change.add(lambda: seen.append(world.overview.done))
        await done(world, 15)
        world.cable.unplug()
        await world.until(lambda: world.manager.greeting is None)
        assert (world.overview.state, world.overview.done >= 15) == ("fetching", True)
        world.cable.plug_in()
        await done(world, 25)
        before = world.overview.done
        world.restart_phone()
        await world.unlock()
        world.phone.on_change.add(lambda: seen.append(world.overview.done))
        await world.until(lambda: world.overview.total > 0)
        assert world.overview.done == before
        await configured(world)
        steps = [step for step in seen if step]
        assert steps == sorted(steps)
        # Each cut hit one chunk on its way; no other one came twice.
        assert CHUNKS <= world.office.asked.count(Service.CONTENT) <= CHUNKS + 2
        await relay.close()

    over_slow_line(tmp_path, story)
