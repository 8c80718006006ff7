"""The workbench and the phone's wall clock: what it stores has the wrong time, and what it counts has not."""

import asyncio
from pathlib import Path

import pytest

from fob_device.token.limits import TICKET_SECONDS
from fob_device.workbench.errors import BenchError
from fob_device.workbench.limits import SHIFT_LIMIT
from fob_protocol import catalogue
from fob_protocol.at.values import Value
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.constants import Cku
from support.bench_world import BenchWorld, on_the_bench
from support.world import NOW, USER_PIN

LOGIN = catalogue.LOGIN_USER.build(int(Cku.USER), USER_PIN)


async def ticket(world: BenchWorld) -> tuple[Value, ...]:
    """The number of a login, and its ticket."""
    answer = await world.manager.request(LOGIN, timeout=30)
    answer.raise_for_ckr()
    return tuple(answer.lines[0])


async def resumed(world: BenchWorld, login: tuple[Value, ...]) -> Ckr | int:
    """What becomes of a login in a new session."""
    world.bench.drop()
    await asyncio.sleep(1)
    await world.connected()
    return (await world.manager.request(catalogue.RESUME.build(*login), timeout=30)).ckr


@pytest.mark.parametrize(
    ("shift", "ckr"),
    [
        (0, Ckr.OK),
        (TICKET_SECONDS - 60, Ckr.OK),
        (TICKET_SECONDS, Ckr.USER_NOT_LOGGED_IN),
        (-1, Ckr.USER_NOT_LOGGED_IN),
    ],
)
def test_a_ticket_ends_by_the_phones_clock(tmp_path: Path, shift: float, ckr: Ckr) -> None:
    async def story(world: BenchWorld) -> None:
        login = await ticket(world)
        world.bench.shift_clock(shift)
        assert world.bench.report().clock_shift == shift
        assert await resumed(world, login) == ckr
        # Set right, it is as good as it was.
        world.bench.shift_clock(0)
        assert await resumed(world, login) == Ckr.OK

    on_the_bench(tmp_path, story)


def test_a_clock_stays_wrong_through_a_power_cut(tmp_path: Path) -> None:
    async def story(world: BenchWorld) -> None:
        login = await ticket(world)
        world.bench.shift_clock(TICKET_SECONDS)
        world.bench.cut_power(1)
        await world.bench.opened()
        assert await resumed(world, login) == Ckr.USER_NOT_LOGGED_IN
        assert world.bench.clock() == NOW + TICKET_SECONDS

    on_the_bench(tmp_path, story)


def test_a_pairing_has_the_time_of_the_phone(tmp_path: Path) -> None:
    async def story(world: BenchWorld) -> None:
        await world.disconnect()
        world.bench.shift_clock(-3600)
        device = await world.pair()
        assert device.key
        (key,) = world.phone.pairings._pcs
        assert world.phone.pairings[key].paired_at == NOW - 3600

    on_the_bench(tmp_path, story)


def test_timers_go_on_as_they_do(tmp_path: Path) -> None:
    async def story(world: BenchWorld) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        world.bench.cut_power(10)
        world.bench.shift_clock(1000)
        await world.bench.opened()
        assert loop.time() - began == pytest.approx(10)

    on_the_bench(tmp_path, story)


@pytest.mark.parametrize("shift", [SHIFT_LIMIT + 1, -SHIFT_LIMIT - 1, float("nan"), float("inf")])
def test_a_shift_has_bounds(tmp_path: Path, shift: float) -> None:
    async def story(world: BenchWorld) -> None:
        with pytest.raises(BenchError, match=f"seconds: from -{SHIFT_LIMIT} to {SHIFT_LIMIT}"):
            world.bench.shift_clock(shift)
        assert world.bench.clock() == NOW

    on_the_bench(tmp_path, story)
