"""The phone's person unpairs a computer: it hears so, whatever it waits for ends, and it comes in no more."""

import asyncio
from pathlib import Path

from fob_daemon.link.keeper import State
from fob_device.overview.computers import computers, grants
from fob_device.settings import Ask, KeySetting
from fob_protocol import catalogue
from fob_protocol.at.answer import Event
from fob_protocol.caller import Caller
from fob_protocol.pkcs11.ckr import Ckr
from support.screen_world import ScreenWorld, at_screen
from support.world import counted_signatures

SSH = Caller(("ssh", "zsh"))


def test_a_computer_that_is_unpaired_hears_so_and_what_it_asked_is_not_done(tmp_path: Path) -> None:
    async def story(world: ScreenWorld) -> None:
        heard: list[Event] = []
        world.manager.subscribe(heard.append)
        key = await world.new_key()
        with counted_signatures() as signed:
            waiting = [world.begin_to_sign(key, data) for data in (1, 2)]
            await world.asks()
            heard.clear()
            world.phone.unpair_computer(world.pc_key)
            answers = await asyncio.gather(*waiting)
        assert {(answer.ckr, answer.words) for answer in answers} == {
            (Ckr.DEVICE_REMOVED, "this computer was unpaired on the device")
        }
        assert not signed
        assert heard == [Event(catalogue.EVENT_UNPAIRED)]
        assert list(world.person.sheets) == []
        assert computers(world.phone) == []

    at_screen(tmp_path, story)


def test_a_request_that_waits_for_the_unlocking_ends_too(tmp_path: Path) -> None:
    async def story(world: ScreenWorld) -> None:
        key = await world.new_key()
        world.person.lock.lock()
        answer = world.begin_to_sign(key)
        await world.asks()
        world.phone.unpair_computer(world.pc_key)
        assert (await answer).ckr == Ckr.DEVICE_REMOVED
        assert world.person.lock.waiting == 0

    at_screen(tmp_path, story)


def test_whatever_it_asks_from_then_on_is_refused_and_soon_its_session_ends(tmp_path: Path) -> None:
    async def story(world: ScreenWorld) -> None:
        key = await world.new_key()
        world.phone.set_key_setting(key, KeySetting(Ask.NEVER))
        world.phone.unpair_computer(world.pc_key)
        with counted_signatures() as signed:
            for spec, values in (
                (catalogue.SIGN, (key, None, bytes(32))),
                (catalogue.FIND_OBJECTS, (0,)),
                (catalogue.GET_TOKEN_INFO, ()),
                (catalogue.GENERATE_RANDOM, (1,)),
            ):
                assert (await world.ask(spec, *values)).ckr == Ckr.DEVICE_REMOVED
            await world.until(lambda: world.manager.state is State.REFUSED)
        assert not signed
        assert world.manager.why == "the device is not paired with this computer"

    at_screen(tmp_path, story)


def test_a_computer_that_is_away_learns_it_when_it_comes_back(tmp_path: Path) -> None:
    async def story(world: ScreenWorld) -> None:
        told: list[bytes] = []
        world.phone.on_unpaired.append(told.append)
        await world.disconnect()
        await asyncio.sleep(1)
        world.phone.unpair_computer(world.pc_key)
        assert told == [world.pc_key]
        again = world.new_link()
        running = asyncio.create_task(again.run())
        await world.until(lambda: again.state is State.REFUSED)
        assert again.why == "the device is not paired with this computer"
        running.cancel()

    at_screen(tmp_path, story)


def test_what_it_was_allowed_is_forgotten_and_it_may_be_paired_again(tmp_path: Path) -> None:
    async def story(world: ScreenWorld) -> None:
        key = await world.new_key()
        answer = world.begin_to_sign(key, 1, SSH)
        await world.tap(remember=3600)
        assert (await answer).ckr == Ckr.OK
        assert len(grants(world.phone)) == 1
        world.phone.unpair_computer(world.pc_key)
        await world.disconnect()
        await asyncio.sleep(1)
        await world.begin()
        await asyncio.sleep(10)
        assert [computer.is_connected for computer in computers(world.phone)] == [True]
        assert grants(world.phone) == []
        await world.login()
        answer = world.begin_to_sign(key, 2, SSH)
        await world.tap(is_yes=False)
        assert (await answer).ckr == Ckr.FUNCTION_REJECTED

    at_screen(tmp_path, story)
