"""A request that waits for the phone's person is told by a number of its own, and when nobody waits any more."""

import asyncio
from contextlib import suppress
from pathlib import Path

from fob_device.approval.rules import Rule, Rules
from fob_protocol import catalogue
from fob_protocol.at.answer import Event
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.errors import CkrError
from support.virtual_loop import run_virtually
from support.world import World

THINKING = 35.0
RULES = Rules((Rule(key="denied", answer="deny", after=THINKING), Rule(after=THINKING)))


class Watched:
    """What is heard of the questions of one link, in order."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.heard: list[tuple[str, int | None]] = []
        world.manager.subscribe(self._hear)
        world.manager.questions.on_settled(lambda name: self.heard.append(("settled", name)))

    def _hear(self, event: Event) -> None:
        match event.name, event.values:
            case catalogue.EVENT_ASK, (int(number), *_):
                self.heard.append(("asked", self.world.manager.asked_about(number)))

    async def sign(self, key: int, timeout: float = 60.0) -> int:  # noqa: ASYNC109 - the link's
        command = catalogue.SIGN.build(key, None, bytes(32))
        return (await self.world.manager.request(command, timeout=timeout)).ckr


def test_each_question_is_settled_once(tmp_path: Path) -> None:
    async def story() -> None:
        world = await World.paired(tmp_path, 1, RULES)
        key = await world.new_key()
        watched = Watched(world)
        first = asyncio.create_task(watched.sign(key))
        await asyncio.sleep(1)
        second = asyncio.create_task(watched.sign(key))
        await asyncio.sleep(1)
        (_, one), (_, two) = watched.heard
        assert one != two
        assert await first == await second == Ckr.OK
        assert watched.heard[2:] in ([("settled", one), ("settled", two)], [("settled", two), ("settled", one)])
        await world.close()

    run_virtually(story())


def test_a_refusal_and_a_withdrawal_settle_it_too(tmp_path: Path) -> None:
    async def story() -> None:
        world = await World.paired(tmp_path, 1, RULES)
        denied, key = await world.new_key(b"denied"), await world.new_key()
        watched = Watched(world)
        assert await watched.sign(denied) == Ckr.FUNCTION_REJECTED
        with suppress(CkrError):
            await watched.sign(key, timeout=5)
        cancelled = asyncio.create_task(watched.sign(key))
        await asyncio.sleep(2)
        cancelled.cancel()
        await asyncio.sleep(2)
        assert [what for what, _ in watched.heard] == ["asked", "settled"] * 3
        await world.close()

    run_virtually(story())


def test_a_broken_link_does_not_settle_what_goes_on_after_it(tmp_path: Path) -> None:
    async def story() -> None:
        world = await World.paired(tmp_path, 1, RULES)
        watched = Watched(world)
        signing = asyncio.create_task(watched.sign(await world.new_key()))
        await asyncio.sleep(2)
        await world.reconnect()
        await asyncio.sleep(2)
        ((_, name),) = watched.heard
        assert await signing == Ckr.OK
        assert watched.heard[1:] == [("settled", name)]
        await world.close()

    run_virtually(story())


def test_what_asks_nobody_is_not_told(tmp_path: Path) -> None:
    async def story() -> None:
        world = await World.paired(tmp_path, 1)
        watched = Watched(world)
        assert await watched.sign(await world.new_key()) == Ckr.OK
        assert watched.heard == []
        assert world.manager.asked_about(0) is None, "an event that comes when the request is over"
        await world.close()

    run_virtually(story())
