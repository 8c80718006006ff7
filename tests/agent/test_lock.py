"""Locking with a passphrase, and what guessing costs."""

import asyncio

import pytest

from fob_daemon.agent.lock import AgentLock


class Waits(list[float]):
    """Stands in for sleep."""

    async def __call__(self, seconds: float) -> None:
        self.append(seconds)


async def test_the_same_passphrase_opens() -> None:
    lock = AgentLock(Waits())
    assert not lock.is_locked
    assert await lock.lock(b"sesame")
    assert lock.is_locked
    assert await lock.unlock(b"sesame")
    assert not lock.is_locked


async def test_a_locked_agent_keeps_its_first_passphrase() -> None:
    lock = AgentLock(Waits())
    await lock.lock(b"first")
    assert not await lock.lock(b"second")
    assert not await lock.unlock(b"second")
    assert await lock.unlock(b"first")


async def test_nothing_to_unlock() -> None:
    waits = Waits()
    assert not await AgentLock(waits).unlock(b"")
    assert waits == []


async def test_every_wrong_passphrase_costs_more_time() -> None:
    waits = Waits()
    lock = AgentLock(waits)
    await lock.lock(b"right")
    assert [await lock.unlock(b"wrong") for _ in range(3)] == [False] * 3
    assert waits == pytest.approx([0.1, 0.2, 0.3])
    assert await lock.unlock(b"right")
    await lock.lock(b"right")
    await lock.unlock(b"wrong")
    assert waits[-1] == pytest.approx(0.1)


async def test_guesses_take_turns() -> None:
    """A second connection's guess waits for the first one's penalty."""
    penalty = asyncio.Event()
    waiting = asyncio.Event()

    async def sleep(seconds: float) -> None:
        waiting.set()
        await penalty.wait()

    lock = AgentLock(sleep)
    await lock.lock(b"right")
    first = asyncio.create_task(lock.unlock(b"wrong"))
    await waiting.wait()
    second = asyncio.create_task(lock.unlock(b"right"))
    for _ in range(10):
        await asyncio.sleep(0)
    assert not second.done()
    penalty.set()
    assert (await first, await second) == (False, True)


async def test_no_passphrase_shows() -> None:
    lock = AgentLock(Waits())
    await lock.lock(b"sesame")
    assert "sesame" not in repr(vars(lock))
