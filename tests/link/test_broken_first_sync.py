"""A link that breaks as its session begins: what never came is sent again, what came is recalled; it is run once."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import pytest

from fob_daemon.link.fate import FateUnknownError
from fob_device.approval.askers import Asker
from fob_device.approval.rules import Rules
from fob_device.line.jobs import SESSIONS_LIMIT, Fate, JobMemory
from fob_device.security.manager import SecurityManager
from fob_protocol import catalogue
from fob_protocol.at.answer import Answer
from fob_protocol.at.command import Command
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.session.pace import Pace
from support.medium import Medium
from support.noise import Tap
from support.virtual_loop import run_virtually
from support.world import World

pytestmark = pytest.mark.clause("P7", "P9")

RANDOM = catalogue.GENERATE_RANDOM.build(16)


class BrokenSyncs:
    """The next `left` sessions die as they begin: before anything arrives, or with `comes` before an answer does."""

    def __init__(self, world: World, left: int, *, comes: bool) -> None:
        self.left = left
        self._world = world
        self._comes = comes
        self._waits = False
        world.manager.on_session(self._began)
        world.cable.taps.append(Tap(lambda octets: None, self._answers))

    def _began(self, greeting: object) -> None:
        if greeting is None or not self.left:
            return
        self.left -= 1
        self._waits = self._comes
        if not self._comes:
            self._fall_silent()

    def _answers(self, octets: bytes) -> None:
        if self._waits:
            self._fall_silent()

    def _fall_silent(self) -> None:
        self._waits = False
        self._world.noise.silence = True
        asyncio.get_running_loop().call_later(0.2, self._end)

    def _end(self) -> None:
        self._world.noise.silence = False
        self._world.cable.hang_up()


@pytest.fixture
def run() -> Iterator[Counter[str]]:
    """How often the phone ran each command."""
    counter: Counter[str] = Counter()
    execute = SecurityManager.execute

    async def counting(manager: SecurityManager, command: Command, number: int, asker: Asker) -> Answer:
        counter[command.name] += 1
        return await execute(manager, command, number, asker)

    with patch.object(SecurityManager, "execute", counting):
        yield counter


async def ask_as_the_link_breaks(world: World, breaks: int, *, comes: bool) -> Answer:
    """A request that is the first thing in a session that dies, as do so many altogether."""
    world.cable.hang_up()
    await world.until(lambda: world.manager.greeting is None)
    syncs = BrokenSyncs(world, breaks, comes=comes)
    answer = await world.manager.request(RANDOM, timeout=60)
    assert syncs.left == 0
    return answer


@pytest.mark.parametrize("comes", [False, True], ids=["it never came", "its answer never came"])
@pytest.mark.parametrize("breaks", [1, 2, 5])
@pytest.mark.parametrize("earlier", [0, SESSIONS_LIMIT + 2], ids=["first sessions", "after many sessions"])
def test_it_is_answered_rightly_and_run_once(
    tmp_path: Path, medium: Medium, run: Counter[str], earlier: int, breaks: int, comes: bool
) -> None:
    async def story() -> None:
        world = await World.paired(tmp_path, 1, cable=medium)
        for _ in range(earlier):
            await world.reconnect()
        assert (await ask_as_the_link_breaks(world, breaks, comes=comes)).ckr == Ckr.OK
        assert run[RANDOM.name] == 1
        await world.close()

    run_virtually(story())


def test_a_restarted_phone_does_not_know(tmp_path: Path, medium: Medium, run: Counter[str]) -> None:
    async def story() -> None:
        world = await World.paired(tmp_path, 1, cable=medium)
        world.cable.hang_up()
        await world.until(lambda: world.manager.greeting is None)
        BrokenSyncs(world, 1, comes=True)
        asking = asyncio.create_task(world.manager.request(RANDOM, timeout=60))
        await world.until(lambda: run[RANDOM.name] == 1)
        world.restart_phone()
        with pytest.raises(FateUnknownError):
            await asking
        assert run[RANDOM.name] == 1
        await world.close()

    run_virtually(story())


async def test_a_session_that_was_forgotten_is_not_taken_for_one_that_never_began() -> None:
    # Of each second one no record came.
    blocks = [number.to_bytes(8) for number in range(1000, 1040)]
    begun, offered = blocks[::2], blocks[1::2]
    memory = JobMemory()
    for block in begun:
        jobs = memory.begin(block, Pace())
    fates = {block: memory.recall(jobs, block, 0, Pace()) for block in blocks}
    kept = begun[-SESSIONS_LIMIT:]
    assert {block for block in begun if fates[block] is Fate.FORGOTTEN} == set(begun) - set(kept)
    assert {block for block in offered if fates[block] is Fate.NEVER_CAME} == {b for b in offered if b > begun[-9]}


async def test_whoever_was_unpaired_and_pairs_again_is_told_nothing_of_before(tmp_path: Path) -> None:
    world = World(tmp_path, 1, Rules())
    before = world.phone.greeting().session
    world.phone._forget(b"pc")
    after = world.phone.greeting().session
    assert before < after
    assert before <= world.phone._parted_up_to < after
    await world.close()
