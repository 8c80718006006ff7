"""The workbench and the phone's power: cut in the midst of anything, or an empty battery. The file alone stays."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from fob_device.approval.rules import Rule, Rules
from fob_device.token.session import TokenSession
from fob_device.workbench.errors import BenchError
from fob_device.workbench.power import Battery
from fob_protocol import catalogue
from fob_protocol.at.answer import Answer
from fob_protocol.at.attribute_list import attributes_to_values
from fob_protocol.caller import Caller
from fob_protocol.pkcs11.cka import Cka
from fob_protocol.pkcs11.ckm import Ckm
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.constants import Cku
from fob_protocol.pkcs11.errors import CkrError
from fob_protocol.pkcs11.flags import TokenFlag
from support.bench_world import BenchWorld, on_the_bench, sign
from support.medium import Medium
from support.world import USER_PIN, World, counted_signatures

pytestmark = pytest.mark.clause("P7", "P14")

FIRST, SECOND = bytes(32), bytes([1]) * 32
THINKING = 2.0
THOUGHTFUL = Rules(approvals=(Rule(key="asked", after=THINKING),))
LOGIN = catalogue.LOGIN_USER.build(int(Cku.USER), USER_PIN)


async def ckr_of(signing: "asyncio.Task[float]") -> Ckr:
    """How it fails."""
    with pytest.raises(CkrError) as caught:
        await signing
    return caught.value.ckr


async def back(world: BenchWorld) -> None:
    """The phone is on, and the PC connected."""
    await world.bench.opened()
    await world.connected()


async def logged_in(world: World) -> tuple[int, bytes]:
    """The number of a login, and its ticket."""
    answer = await world.manager.request(LOGIN, timeout=30)
    answer.raise_for_ckr()
    number, ticket = answer.lines[0]
    assert isinstance(number, int)
    assert isinstance(ticket, bytes)
    return number, ticket


async def resumed(world: World, login: tuple[int, bytes]) -> Answer:
    return await world.manager.request(catalogue.RESUME.build(*login), timeout=30)


def test_what_waits_for_the_person_is_gone_with_the_power(tmp_path: Path, medium: Medium) -> None:
    async def story(world: BenchWorld) -> None:
        key = await world.new_key(b"asked")
        boot = world.phone.boot
        with counted_signatures() as signed:
            signing = asyncio.create_task(sign(world, key, FIRST))
            await asyncio.sleep(1)
            world.bench.cut_power(3)
            assert (world.bench.is_on, world.bench.is_open, world.bench.phone) == (False, False, None)
            assert await ckr_of(signing) == Ckr.DEVICE_ERROR
            await back(world)
            assert world.bench.phone is world.phone
            assert world.phone.boot != boot
            # The person's yes would have come long ago.
            await asyncio.sleep(THINKING)
            assert signed == {}
            assert await ckr_of(asyncio.create_task(sign(world, key, FIRST))) == Ckr.USER_NOT_LOGGED_IN
            await world.login()
            await sign(world, key, SECOND)
            assert (signed, world.manager.connects) == ({SECOND: 1}, 2)

    on_the_bench(tmp_path, story, medium, THOUGHTFUL)


@pytest.mark.parametrize("after", [0.0, 0.001, 0.0021, 0.003, 0.0045])
def test_a_signature_is_made_at_most_once_whenever_the_power_goes(tmp_path: Path, after: float) -> None:
    async def story(world: BenchWorld) -> None:
        key = await world.new_key()
        with counted_signatures() as signed:
            signing = asyncio.create_task(sign(world, key, FIRST))
            await asyncio.sleep(after)
            world.bench.cut_power(0)
            if after < 0.004:
                # Made or not: the PC cannot know, and says so.
                assert await ckr_of(signing) == Ckr.DEVICE_ERROR
            else:
                await signing
            assert signed[FIRST] == (after > 0.002)
            await back(world)
            await world.login()
            await sign(world, key, SECOND)
            assert (signed[SECOND], world.manager.connects) == (1, 2)

    on_the_bench(tmp_path, story)


def test_several_requests_at_once_end_cleanly_and_none_runs_later(tmp_path: Path, medium: Medium) -> None:
    async def story(world: BenchWorld) -> None:
        key = await world.new_key(b"asked")
        with counted_signatures() as signed:
            signing = [asyncio.create_task(sign(world, key, bytes([number]) * 32)) for number in range(20)]
            await asyncio.sleep(1)
            world.bench.cut_power(0.5)
            assert [await ckr_of(task) for task in signing] == [Ckr.DEVICE_ERROR] * 20
            await back(world)
            await asyncio.sleep(THINKING)
            assert signed == {}
            await world.login()
            await sign(world, key, SECOND)
            assert signed == {SECOND: 1}

    on_the_bench(tmp_path, story, medium, THOUGHTFUL)


def test_a_login_ends_and_its_ticket_stays(tmp_path: Path) -> None:
    async def story(world: BenchWorld) -> None:
        key = await world.new_key()
        login = await logged_in(world)
        world.bench.cut_power(1)
        await back(world)
        assert (await resumed(world, login)).ckr == Ckr.OK
        await sign(world, key, FIRST)

    on_the_bench(tmp_path, story)


def test_a_yes_that_was_remembered_is_forgotten(tmp_path: Path) -> None:
    async def story(world: BenchWorld) -> None:
        loop = asyncio.get_running_loop()
        key = await world.new_key()
        command = catalogue.SIGN.build(key, None, FIRST, None, 0, Caller(("ssh", "zsh")).to_block())

        async def asked() -> bool:
            """Whether the person was."""
            began = loop.time()
            (await world.manager.request(command, timeout=30)).raise_for_ckr()
            return loop.time() - began > THINKING

        assert [await asked(), await asked()] == [True, False]
        world.bench.cut_power(0)
        await back(world)
        await world.login()
        assert [await asked(), await asked()] == [True, False]

    on_the_bench(tmp_path, story, decider=Rules(approvals=(Rule(after=THINKING, remember=3600),)))


def test_a_wrong_pin_is_counted_though_the_power_goes(tmp_path: Path) -> None:
    async def story(world: BenchWorld) -> None:
        wrong = catalogue.LOGIN_USER.build(int(Cku.USER), b"999999")
        assert (await world.manager.request(wrong, timeout=30)).ckr == Ckr.PIN_INCORRECT
        world.bench.cut_power(0)
        await back(world)
        assert TokenFlag(world.phone.token_flags()) & TokenFlag.USER_PIN_COUNT_LOW
        await world.login()
        assert not TokenFlag(world.phone.token_flags()) & TokenFlag.USER_PIN_COUNT_LOW

    on_the_bench(tmp_path, story)


def test_a_pairing_that_loses_its_phone_leaves_nothing(tmp_path: Path) -> None:
    async def story(world: BenchWorld) -> None:
        await world.disconnect()
        world.forget_pc()

        async def cut(code: str, device: object) -> bool:
            world.bench.cut_power(1)
            return True

        with pytest.raises(ConnectionError):
            await world.pair(cut)
        await world.bench.opened()
        assert len(world.phone.pairings) == 0
        await world.pair()
        assert len(world.phone.pairings) == 1

    on_the_bench(tmp_path, story)


def test_another_cut_begins_the_time_anew(tmp_path: Path) -> None:
    async def story(world: BenchWorld) -> None:
        loop = asyncio.get_running_loop()
        world.bench.cut_power(5)
        await asyncio.sleep(4)
        began = loop.time()
        world.bench.cut_power(5)
        await world.bench.opened()
        assert loop.time() - began == pytest.approx(5)
        # And one in the moment in which it is on again.
        boot = world.phone.boot
        world.bench.cut_power(0)
        assert not world.bench.is_on
        await back(world)
        assert world.phone.boot != boot

    on_the_bench(tmp_path, story)


def test_a_phone_that_is_switched_on_out_of_reach_comes_back_when_both_are_over(tmp_path: Path) -> None:
    async def story(world: BenchWorld) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        world.bench.keep_away(7)
        world.bench.cut_power(5)
        await asyncio.sleep(6)
        assert (world.bench.is_on, world.bench.is_open) == (True, False)
        await world.bench.opened()
        assert loop.time() - began == pytest.approx(7)
        await world.connected()
        world.bench.cut_power(5)
        world.bench.keep_away(2)
        await asyncio.sleep(3)
        assert not world.bench.is_on
        await back(world)

    on_the_bench(tmp_path, story)


def test_a_phone_with_an_empty_battery_is_off_until_it_is_charged(tmp_path: Path, medium: Medium) -> None:
    async def story(world: BenchWorld) -> None:
        key = await world.new_key(b"asked")
        with counted_signatures() as signed:
            signing = asyncio.create_task(sign(world, key, FIRST))
            await asyncio.sleep(1)
            world.bench.set_battery(1, is_charging=False)
            assert world.bench.is_on
            world.bench.set_battery(0, is_charging=False)
            assert not world.bench.is_on
            assert await ckr_of(signing) == Ckr.DEVICE_ERROR
            # A charger alone does not do, nor does the end of a power cut.
            world.bench.set_battery(0, is_charging=True)
            world.bench.cut_power(1)
            await asyncio.sleep(100)
            assert not world.bench.is_on
            world.bench.set_battery(2, is_charging=True)
            assert world.bench.report().battery == Battery(2, True)
            await back(world)
            await world.login()
            await sign(world, key, SECOND)
            assert (signed, world.manager.connects) == ({SECOND: 1}, 2)

    on_the_bench(tmp_path, story, medium, THOUGHTFUL)


@pytest.mark.parametrize("percent", [-1, 101])
def test_a_battery_has_bounds(tmp_path: Path, percent: int) -> None:
    async def story(world: BenchWorld) -> None:
        with pytest.raises(BenchError, match="percent: from 0 to 100"):
            world.bench.set_battery(percent, is_charging=True)
        assert world.bench.report().battery == Battery(100, False)

    on_the_bench(tmp_path, story)


def test_everybody_who_wants_to_hears_of_it(tmp_path: Path) -> None:
    async def story(world: BenchWorld) -> None:
        heard: list[bool] = []
        world.bench.on_change.add(lambda: heard.append(world.bench.is_on))
        world.bench.cut_power(1)
        assert heard[-1] is False
        await world.bench.opened()
        assert heard[-1] is True

    on_the_bench(tmp_path, story)


async def test_what_a_thread_goes_on_with_reaches_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key that is being made: its arithmetic cannot be stopped, but it comes too late."""
    begun, cut, ended = asyncio.Event(), asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    make = TokenSession.generate_key_pair

    def make_late(session: TokenSession, *arguments: Any) -> object:
        loop.call_soon_threadsafe(begun.set)
        asyncio.run_coroutine_threadsafe(cut.wait(), loop).result(10)
        try:
            return make(session, *arguments)
        finally:
            loop.call_soon_threadsafe(ended.set)

    world = BenchWorld(tmp_path, 1, Rules())
    await world.begin()
    await world.login()
    generation = world.phone.token.generation
    monkeypatch.setattr(TokenSession, "generate_key_pair", make_late)
    public = attributes_to_values({Cka.TOKEN: True, Cka.MODULUS_BITS: 2048})
    command = catalogue.GENERATE_KEY_PAIR.build(Ckm.RSA_PKCS_KEY_PAIR_GEN, None, 2, *public)
    making = asyncio.create_task(world.manager.request(command, timeout=30))
    await begun.wait()
    world.bench.cut_power(0)
    with pytest.raises(CkrError) as caught:
        await making
    assert caught.value.ckr == Ckr.DEVICE_ERROR
    await back(world)
    cut.set()
    await ended.wait()
    monkeypatch.undo()
    assert world.phone.token.generation == generation
    await world.new_key()
    assert world.phone.token.generation > generation
    await world.close()
