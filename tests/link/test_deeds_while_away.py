"""What the person does for a computer that is away: no key is made, no PIN set, nothing opened before it is back."""

import asyncio
from pathlib import Path

import pytest

from fob_device.approval.questions import Operation, Question
from fob_device.screen.sheets import AWAY, PinSheet
from fob_protocol import catalogue
from fob_protocol.at.answer import Answer
from fob_protocol.at.attribute_list import attributes_to_values
from fob_protocol.at.values import Value
from fob_protocol.caller import Caller, Purpose
from fob_protocol.catalogue import CommandSpec
from fob_protocol.history.entry import Outcome
from fob_protocol.pkcs11.cka import Cka
from fob_protocol.pkcs11.ckm import Ckm
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.constants import Cku
from fob_protocol.pkcs11.errors import CkrError
from support.parting import outcomes, part
from support.screen_world import ScreenWorld, at_screen
from support.world import P256, SO_PIN, USER_PIN

pytestmark = pytest.mark.clause("P9")

SSH = Caller(("ssh", "zsh"), Purpose.LOGIN, host="github.com")


KEY_PAIR = (
    Ckm.EC_KEY_PAIR_GEN, None, 2, *attributes_to_values({Cka.TOKEN: True, Cka.EC_PARAMS: P256}),
    *attributes_to_values({Cka.TOKEN: True, Cka.LABEL: b"made"}),
)  # fmt: skip


async def settle(world: ScreenWorld, answer: "asyncio.Task[Answer]", *, comes_back: bool) -> None:
    """The line is back and the computer has its answer; or both stay away until the phone gives up."""
    if comes_back:
        world.cable.plug_in()
        assert (await answer).ckr == Ckr.OK
    else:
        with pytest.raises(CkrError):
            await answer
        await asyncio.sleep(60)


@pytest.mark.parametrize("comes_back", [True, False])
def test_a_key_is_made_for_who_is_there(tmp_path: Path, comes_back: bool) -> None:
    async def story(world: ScreenWorld) -> None:
        await world.login()
        world.person.lock.lock()
        answer = world.begin_to_ask(catalogue.GENERATE_KEY_PAIR, *KEY_PAIR)
        await world.until(lambda: world.person.lock.waiting == 1)
        before = world.phone.token.generation
        world.cable.unplug()
        world.cable.hang_up()
        await world.until(lambda: not world.phone.sessions)
        await world.unlock()
        await asyncio.sleep(0.05)
        assert world.phone.token.generation == before
        await settle(world, answer, comes_back=comes_back)
        assert (world.phone.token.generation > before) == comes_back

    at_screen(tmp_path, story)


PIN_DEEDS: dict[str, tuple[CommandSpec, tuple[Value, ...], list[bytes]]] = {
    "the officer's login": (catalogue.LOGIN_USER, (0, None), [SO_PIN]),
    "a new token": (catalogue.INIT_TOKEN, (None, b"new"), [SO_PIN]),
}


@pytest.mark.parametrize("comes_back", [True, False])
@pytest.mark.parametrize("deed", PIN_DEEDS)
def test_a_pin_opens_something_for_who_is_there(tmp_path: Path, deed: str, comes_back: bool) -> None:
    spec, values, pins = PIN_DEEDS[deed]

    async def story(world: ScreenWorld) -> None:
        await world.new_key()
        answer = world.begin_to_ask(spec, *values)
        sheet = await world.sheet(PinSheet)
        await part(world, sheet)
        assert sheet.words.endswith(f" ({AWAY})")
        await world.type_pins(*pins)
        label, written = world.phone.token.info().label, len(world.phone.history.newest(99))
        assert label == "World"
        await settle(world, answer, comes_back=comes_back)
        assert (len(world.phone.history.newest(99)) > written) == comes_back
        assert (world.phone.token.info().label == "new") == (comes_back and deed == "a new token")

    at_screen(tmp_path, story)


@pytest.mark.parametrize("comes_back", [True, False])
def test_a_new_pin_is_set_for_who_is_there(tmp_path: Path, comes_back: bool) -> None:
    async def story(world: ScreenWorld) -> None:
        answer = world.begin_to_ask(catalogue.SET_PIN, int(Cku.USER), None, None)
        await world.type_pins(USER_PIN)
        sheet = await world.sheet(PinSheet)
        await part(world, sheet)
        await world.type_pins(b"271828", b"271828")
        assert is_pin(world, USER_PIN)
        await settle(world, answer, comes_back=comes_back)
        assert is_pin(world, USER_PIN) != comes_back

    at_screen(tmp_path, story)


def is_pin(world: ScreenWorld, pin: bytes) -> bool:
    """Whether it is the user's."""
    try:
        world.phone.token.open_master(Cku.USER, pin)
    except CkrError:
        return False
    return True


@pytest.mark.parametrize("comes_back", [True, False])
def test_a_pin_that_was_typed_for_a_use_approves_it_for_who_is_there(tmp_path: Path, comes_back: bool) -> None:
    async def story(world: ScreenWorld) -> None:
        await world.login()
        made = await world.ask(catalogue.GENERATE_KEY_PAIR, *KEY_PAIR, Cka.ALWAYS_AUTHENTICATE, 1)
        key = made.lines[2][0]
        assert isinstance(key, int)
        login = world.begin_to_ask(catalogue.LOGIN_USER, int(Cku.CONTEXT_SPECIFIC), None, key, 0, SSH.to_block())
        await part(world, await world.sheet(PinSheet))
        await world.type_pins(USER_PIN)
        question = Question(Operation.SIGN, "made", "me@pc", SSH, key, world.pc_key)
        assert not world.person.is_silent(question)
        await settle(world, login, comes_back=comes_back)
        assert world.person.is_silent(question) == comes_back
        assert outcomes(world) == ([] if comes_back else [Outcome.WITHDRAWN])

    at_screen(tmp_path, story)
