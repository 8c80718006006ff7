"""A question whose PC waits for it no more: it goes off the screen, and no tap comes true any more."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from fob_device.approval.rules import Rule, Rules
from fob_protocol import catalogue
from fob_protocol.history.entry import Kind, Outcome
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.errors import CkrError
from fob_protocol.session.pace import Pace
from support.virtual_loop import run_virtually
from support.world import World, counted_signatures

pytestmark = pytest.mark.clause("P9")

# Longer than any PC takes to come back.
THINKING = 20.0
RULES = Rules((Rule(key="asked", after=THINKING),))
OLD, NEW = bytes(32), bytes([1]) * 32


def outcomes(world: World) -> list[Outcome]:
    """What became of the uses of keys, the newest first."""
    lines = world.phone.history.newest(99)
    return [line.entry.outcome for line in lines if line.entry is not None and line.entry.kind is Kind.USE]


async def sign(world: World, handle: int, digest: bytes) -> int:
    """One signature. Raises CkrError."""
    return (await world.manager.request(catalogue.SIGN.build(handle, None, digest), timeout=60)).ckr


async def restart_daemon(world: World) -> None:
    """Killed and started again: the new one knows of no request."""
    await world.disconnect()
    world.cable.hang_up()
    world.link = world.new_link()
    world._running = asyncio.create_task(world.link.run())
    await world.until(lambda: world.manager.greeting is not None)


# What happens once the phone asks, to its world; `asking` is the request for OLD, `signed` what was signed by then.
Story = Callable[[World, int, "asyncio.Task[int]", Counter[bytes]], Awaitable[None]]


def when_asked(folder: Path, story: Story) -> None:
    """A story that begins a second after the phone's question about OLD, in virtual time."""

    async def whole() -> None:
        world = await World.paired(folder, 1, RULES)
        key = await world.new_key(b"asked")
        with counted_signatures() as signed:
            asking = asyncio.create_task(sign(world, key, OLD))
            await asyncio.sleep(1)
            await story(world, key, asking, signed)
        asking.cancel()
        await world.close()

    run_virtually(whole())


def test_a_daemon_that_starts_again_leaves_no_question_behind(tmp_path: Path) -> None:
    async def story(world: World, key: int, asking: "asyncio.Task[int]", signed: Counter[bytes]) -> None:
        await restart_daemon(world)
        await asyncio.sleep(Pace().recall_grace + 0.2)
        assert outcomes(world) == [Outcome.WITHDRAWN]
        asking.cancel()
        await world.login()
        assert await sign(world, key, NEW) == Ckr.OK
        assert signed == {NEW: 1}
        assert outcomes(world) == [Outcome.APPROVED, Outcome.WITHDRAWN]

    when_asked(tmp_path, story)


def test_a_program_that_heard_the_link_is_lost_is_signed_nothing_later(tmp_path: Path) -> None:
    async def story(world: World, key: int, asking: "asyncio.Task[int]", signed: Counter[bytes]) -> None:
        world.cable.unplug()
        world.cable.hang_up()
        with pytest.raises(CkrError) as caught:
            await asking
        assert caught.value.ckr is Ckr.DEVICE_ERROR
        await asyncio.sleep(Pace().next_session_time)
        assert outcomes(world) == [Outcome.WITHDRAWN]
        await asyncio.sleep(THINKING)
        assert not signed

    when_asked(tmp_path, story)


def test_what_is_recalled_is_asked_on_and_signed_once(tmp_path: Path) -> None:
    async def story(world: World, key: int, asking: "asyncio.Task[int]", signed: Counter[bytes]) -> None:
        await world.reconnect()
        for _ in range(2):
            await asyncio.sleep(1)
            await world.reconnect()
        assert await asking == Ckr.OK
        assert signed == {OLD: 1}
        assert outcomes(world) == [Outcome.APPROVED]

    when_asked(tmp_path, story)


def test_a_session_that_is_forgotten_takes_its_questions_with_it(tmp_path: Path) -> None:
    async def story(world: World, key: int, asking: "asyncio.Task[int]", signed: Counter[bytes]) -> None:
        await restart_daemon(world)
        for _ in range(8):
            await world.reconnect()
        await asyncio.sleep(0.1)
        assert outcomes(world) == [Outcome.WITHDRAWN]

    when_asked(tmp_path, story)
