"""A PC that ends without a word on a line of three wires: the phone tells by its silence that a yes reaches nobody."""

import asyncio
from pathlib import Path

import pytest

from fob_device.approval.askers import Asker
from fob_device.line.jobs import Job, Jobs
from fob_device.line.silence import Silence
from fob_device.screen.sheets import ApprovalSheet
from fob_protocol.at.answer import Answer
from fob_protocol.caller import Caller, Purpose
from fob_protocol.history.entry import Outcome
from fob_protocol.session.pace import Pace
from support.memory_line import SerialCable
from support.noise import Noise
from support.parting import grants, let_go, outcomes, sign_anew, vanish
from support.screen_world import ScreenWorld, at_screen
from support.virtual_loop import run_virtually
from support.world import counted_signatures

pytestmark = pytest.mark.clause("P9")

SSH = Caller(("ssh", "zsh"), Purpose.LOGIN, host="github.com")
NEW = bytes([2]) * 32
HOUR = 3600
SILENCE = Pace().silence
AFTER = 2.0


def make_wires(folder: Path) -> SerialCable:
    """Neither end learns that the other one closed its port."""
    return SerialCable(Noise())


async def kill_daemon_unnoticed(world: ScreenWorld) -> None:
    """The phone takes the session for open."""
    await vanish(world)
    await asyncio.sleep(0.1)
    world.cable.plug_in()
    assert len(world.phone.sessions) == 1


def test_a_daemon_that_is_killed_is_missed_and_gets_nothing_signed(tmp_path: Path) -> None:
    async def story(world: ScreenWorld) -> None:
        key = await world.new_key()
        with counted_signatures() as signed:
            old = world.begin_to_sign(key, 1, SSH)
            sheet = await world.sheet(ApprovalSheet)
            await asyncio.sleep(10)
            assert not sheet.is_away, "a PC that waits is heard"
            await kill_daemon_unnoticed(world)
            await asyncio.sleep(SILENCE)
            assert sheet.is_away
            await world.tap(remember=HOUR)
            await asyncio.sleep(60)
            assert (signed.total(), grants(world)) == (0, 0)
            assert outcomes(world) == [Outcome.OUT_OF_TIME]
        await let_go(old)

    at_screen(tmp_path, story, make_wires)


def test_one_that_is_started_again_is_signed_for_once(tmp_path: Path) -> None:
    async def story(world: ScreenWorld) -> None:
        key = await world.new_key()
        with counted_signatures() as signed:
            old = world.begin_to_sign(key, 1, SSH)
            await world.sheet(ApprovalSheet)
            await kill_daemon_unnoticed(world)
            await asyncio.sleep(SILENCE)
            await world.tap(remember=HOUR)
            await sign_anew(world, key, SSH)
        assert signed == {NEW: 1}
        assert sorted(outcomes(world)) == [Outcome.APPROVED, Outcome.WITHDRAWN]
        assert grants(world) == 0
        await let_go(old)

    at_screen(tmp_path, story, make_wires)


def test_one_that_is_heard_again_in_the_same_session_is_back() -> None:
    async def story() -> None:
        jobs = Jobs()
        silence = Silence(jobs, lambda: AFTER)
        work = asyncio.get_running_loop().create_future()

        async def run() -> Answer:
            await work
            return Answer()

        asked, recalled = (Job(asyncio.create_task(run()), Asker()) for _ in range(2))
        jobs.add(1, asked)
        jobs.recalled.add(recalled)
        for _ in range(2):
            silence.end()
            await asyncio.sleep(AFTER - 0.1)
            assert (asked.asker.is_away, recalled.asker.is_away) == (False, False)
            await asyncio.sleep(0.2)
            assert (asked.asker.is_away, recalled.asker.is_away) == (True, True)
        silence.end()
        silence.stop()
        await asyncio.sleep(2 * AFTER)
        assert not asked.asker.is_away
        work.set_result(None)
        await asyncio.gather(asked.task, recalled.task)

    run_virtually(story())
