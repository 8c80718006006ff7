"""The security manager (P6): the only door to the token; approvals and the PIN pad."""

import asyncio
from pathlib import Path

import pytest

from fob_device.approval.rules import Rule, Rules
from fob_protocol import catalogue
from fob_protocol.at.answer import Answer, Event
from fob_protocol.at.command import Command, Verb
from fob_protocol.at.values import Value
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.errors import CkrError
from fob_protocol.pkcs11.flags import TokenFlag
from support.virtual_loop import run_virtually
from support.world import SO_PIN, USER_PIN, World, counted_signatures

WRONG = b"999999"


async def ask(world: World, spec: catalogue.CommandSpec, *values: Value, within: float = 30) -> Answer:
    return await world.manager.request(spec.build(*values), timeout=within)


@pytest.mark.clause("P6")
def test_unknown_commands_and_verbs_are_refused_by_name(tmp_path: Path) -> None:
    async def story() -> None:
        world = await World.paired(tmp_path, 1)
        for command in (Command("+C_FLY"), Command("+C_SIGN", Verb.TEST), Command("+C_SIGN", Verb.READ)):
            answer = await world.manager.request(command, timeout=5)
            assert answer.ckr == Ckr.FUNCTION_NOT_SUPPORTED
            assert command.name in answer.words
        answer = await world.manager.request(Command("+C_SIGN", Verb.SET, (1, 2)), timeout=5)
        assert answer.ckr == Ckr.ARGUMENTS_BAD
        assert (await world.manager.request(Command(""), timeout=5)).ckr == Ckr.OK
        await world.close()

    run_virtually(story())


def test_a_key_is_refused_before_the_login(tmp_path: Path) -> None:
    async def story() -> None:
        world = await World.paired(tmp_path, 1)
        handle = await world.new_key()
        world.restart_phone()
        await world.until(lambda: world.manager.greeting is None)
        await world.until(lambda: world.manager.greeting is not None)
        assert (await ask(world, catalogue.SIGN, handle, None, bytes(32))).ckr == Ckr.USER_NOT_LOGGED_IN
        await world.close()

    run_virtually(story())


def test_no_on_the_phone_is_a_rejection(tmp_path: Path) -> None:
    async def story() -> None:
        world = await World.paired(tmp_path, 1, Rules((Rule(answer="deny"),)))
        answer = await ask(world, catalogue.SIGN, await world.new_key(), None, bytes(32))
        assert answer.ckr == Ckr.FUNCTION_REJECTED
        assert "refused on the device" in answer.words
        await world.close()

    run_virtually(story())


def test_two_clients_one_waits_for_a_tap_the_other_is_not_held_up(tmp_path: Path) -> None:
    async def story() -> None:
        rules = Rules((Rule(key="slow", after=20.0),))
        world = await World.paired(tmp_path, 1, rules)
        quick = await world.new_key()
        slow = await world.new_key(b"slow")
        clock = asyncio.get_running_loop().time
        events: list[Event] = []
        world.manager.subscribe(events.append)
        began = clock()
        waiting = asyncio.create_task(ask(world, catalogue.SIGN, slow, None, bytes(32)))
        for _ in range(500):
            assert (await ask(world, catalogue.SIGN, quick, None, bytes(32))).ckr == Ckr.OK
        assert clock() - began < 5
        assert not waiting.done()
        assert (await waiting).ckr == Ckr.OK
        assert 20 <= clock() - began < 20.1
        assert [event.name for event in events] == ["+FOBASK"]
        assert events[0].values[1:] == ("sign with 'slow' for me@pc", 60)
        await world.close()

    run_virtually(story())


def test_an_approval_that_comes_too_late_does_nothing(tmp_path: Path) -> None:
    async def story() -> None:
        world = await World.paired(tmp_path, 1, Rules((Rule(key="slow", after=20.0),)))
        slow = await world.new_key(b"slow")
        with counted_signatures() as signed:
            with pytest.raises(CkrError) as refusal:
                await ask(world, catalogue.SIGN, slow, None, bytes(32), within=3)
            assert refusal.value.ckr is Ckr.FUNCTION_CANCELED
            await asyncio.sleep(60)
            assert not signed
        await world.close()

    run_virtually(story())


def test_nobody_taps_and_the_question_goes_away(tmp_path: Path) -> None:
    async def story() -> None:
        world = await World.paired(tmp_path, 1, Rules((Rule(answer="ignore"),)))
        handle = await world.new_key()
        began = asyncio.get_running_loop().time()
        answer = await ask(world, catalogue.SIGN, handle, None, bytes(32), within=100)
        assert answer.ckr == Ckr.FUNCTION_CANCELED
        assert 60 <= asyncio.get_running_loop().time() - began < 61
        await world.close()

    run_virtually(story())


def test_the_pin_pad_answers_when_the_pc_sends_no_pin(tmp_path: Path) -> None:
    async def story() -> None:
        world = await World.paired(tmp_path, 1, Rules(typed_pin=USER_PIN))
        assert world.manager.greeting is not None
        assert world.manager.greeting.token_flags & TokenFlag.PROTECTED_AUTHENTICATION_PATH
        assert (await ask(world, catalogue.LOGIN_USER, 1)).ckr == Ckr.OK
        await world.close()

    run_virtually(story())


def test_without_a_pin_pad_a_login_needs_a_pin(tmp_path: Path) -> None:
    async def story() -> None:
        world = await World.paired(tmp_path, 1)
        answer = await ask(world, catalogue.LOGIN_USER, 1)
        assert (answer.ckr, answer.words) == (Ckr.ARGUMENTS_BAD, "no PIN, and the device has no PIN pad")
        await world.close()

    run_virtually(story())


@pytest.mark.clause("R6")
def test_three_wrong_pins_lock_the_token_even_when_the_phone_is_killed_in_between(tmp_path: Path) -> None:
    async def story() -> None:
        world = await World.paired(tmp_path, 1)
        handle = await world.new_key()
        for _ in range(2):
            assert (await ask(world, catalogue.LOGIN_USER, 1, WRONG)).ckr == Ckr.PIN_INCORRECT
            world.restart_phone()
            await world.until(lambda: world.manager.greeting is None)
            await world.until(lambda: world.manager.greeting is not None)
        assert world.manager.greeting is not None
        assert world.manager.greeting.token_flags & TokenFlag.USER_PIN_FINAL_TRY
        assert (await ask(world, catalogue.LOGIN_USER, 1, WRONG)).ckr in (Ckr.PIN_INCORRECT, Ckr.PIN_LOCKED)
        assert (await ask(world, catalogue.LOGIN_USER, 1, USER_PIN)).ckr == Ckr.PIN_LOCKED
        # The security officer sets a new PIN: the keys are still there.
        officer = await ask(world, catalogue.LOGIN_USER, 0, SO_PIN)
        assert officer.ckr == Ckr.OK
        assert (await ask(world, catalogue.INIT_PIN, b"654321")).ckr == Ckr.OK
        assert (await ask(world, catalogue.LOGOUT, officer.lines[0][0])).ckr == Ckr.OK
        assert (await ask(world, catalogue.LOGIN_USER, 1, b"654321")).ckr == Ckr.OK
        assert (await ask(world, catalogue.SIGN, handle, None, bytes(32))).ckr == Ckr.OK
        await world.close()

    run_virtually(story())
