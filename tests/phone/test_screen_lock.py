"""A phone with a screen is locked: what waits for its person, what they type, and when it locks itself again."""

import asyncio
from pathlib import Path

import pytest

from fob_device.screen.errors import PhoneLockedError
from fob_device.screen.sheets import ApprovalSheet
from fob_device.screen.typed import Outcome, Typed
from fob_device.settings import AUTO_LOCK, AUTO_LOCK_CHOICES, Ask, KeySetting
from fob_protocol import catalogue
from fob_protocol.history.entry import computer_id, marked_name
from fob_protocol.pkcs11.cka import Cka
from fob_protocol.pkcs11.ckm import Ckm
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.constants import Cko
from fob_protocol.pkcs11.flags import TokenFlag
from support.pin_entries import asking
from support.screen_world import WRONG_PIN, ScreenWorld, at_screen
from support.world import P256, USER_PIN, counted_signatures

NEVER = KeySetting(Ask.NEVER)


def test_fifty_requests_at_a_locked_phone_are_one_question_and_each_is_done_once(tmp_path: Path) -> None:
    async def story(world: ScreenWorld) -> None:
        person = world.person
        key = await world.new_key(b"work")
        world.phone.set_key_setting(key, NEVER)
        person.lock.lock()
        with counted_signatures() as signed:
            waiting = [world.begin_to_sign(key, data) for data in range(50)]
            assert await world.asks() == 50 * ["unlock the phone: sign with 'work' for me@pc"]
            assert person.lock.waiting_words == "50 requests from me@pc wait"
            assert (len(person.sheets), len(signed)) == (0, 0)
            assert (await person.unlock(WRONG_PIN)).words == "Wrong PIN, 2 tries left"
            assert (person.lock.waiting, len(signed)) == (50, 0)
            await world.unlock()
            answers = await asyncio.gather(*waiting)
        assert [answer.ckr for answer in answers] == 50 * [Ckr.OK]
        assert signed == {bytes([data]) * 32: 1 for data in range(50)}
        assert await world.asks() == []

    at_screen(tmp_path, story)


def test_fifty_requests_of_a_key_that_asks_are_one_sheet_after_the_unlocking(tmp_path: Path) -> None:
    async def story(world: ScreenWorld) -> None:
        key = await world.new_key(b"work")
        world.person.lock.lock()
        with counted_signatures() as signed:
            waiting = [world.begin_to_sign(key, data) for data in range(50)]
            await world.asks()
            assert (world.person.lock.waiting, len(world.person.sheets)) == (50, 0)
            await world.unlock()
            sheet = await world.sheet(ApprovalSheet)
            await world.until(lambda: sheet.count == 50)
            assert (await world.asks())[-1] == "sign with 'work' for me@pc, 50 times"
            assert (list(world.person.sheets), len(signed)) == ([sheet], 0)
            assert await world.tap() is sheet
            answers = await asyncio.gather(*waiting)
        assert [answer.ckr for answer in answers] == 50 * [Ckr.OK]
        assert signed == {bytes([data]) * 32: 1 for data in range(50)}

    at_screen(tmp_path, story)


def test_a_question_that_was_open_when_the_phone_was_locked_is_counted_on_the_lock(tmp_path: Path) -> None:
    async def story(world: ScreenWorld) -> None:
        key = await world.new_key(b"work")
        answer = world.begin_to_sign(key)
        sheet = await world.sheet(ApprovalSheet)
        assert world.person.lock.waiting == 0
        world.person.lock.lock()
        assert world.person.visible_sheets == []
        assert world.person.lock.waiting_words == "1 request from me@pc waits"
        await world.unlock()
        assert (world.person.visible_sheets, world.person.lock.waiting_words) == ([sheet], "")
        await world.tap()
        assert (await answer).ckr == Ckr.OK

    at_screen(tmp_path, story)


def test_a_question_of_one_of_two_computers_of_a_name_shows_which(tmp_path: Path) -> None:
    async def story(world: ScreenWorld) -> None:
        key = await world.new_key(b"work")
        world.phone.pair(bytes(32), "me@pc")
        answer = world.begin_to_sign(key)
        sheet = await world.tap()
        assert sheet.words == f"sign with 'work' for {marked_name('me@pc', computer_id(world.pc_key))}"
        assert (await answer).ckr == Ckr.OK

    at_screen(tmp_path, story)


def test_what_waits_at_a_locked_phone_is_told_apart_as_soon_as_a_namesake_pairs(tmp_path: Path) -> None:
    async def story(world: ScreenWorld) -> None:
        key, lock = await world.new_key(b"work"), world.person.lock
        world.phone.set_key_setting(key, NEVER)
        lock.lock()
        answer = world.begin_to_sign(key)
        await world.until(lambda: lock.waiting == 1)
        assert lock.waiting_words == "1 request from me@pc waits"
        world.phone.pair(bytes(32), "me@pc")
        assert lock.waiting_words == f"1 request from {marked_name('me@pc', computer_id(world.pc_key))} waits"
        world.phone.unpair_computer(bytes(32))
        assert lock.waiting_words == "1 request from me@pc waits"
        await world.unlock()
        assert (await answer).ckr == Ckr.OK

    at_screen(tmp_path, story)


def test_requests_of_several_computers_are_one_question_too(tmp_path: Path) -> None:
    async def story(world: ScreenWorld) -> None:
        person = world.person
        person.lock.lock()
        names = ["me@desk", "me@desk", "me@laptop", "\x1b[2Jme"]
        waiting = [asyncio.create_task(person.unlocked(asking(name))) for name in names]
        await asyncio.sleep(1)
        assert person.lock.waiting_words == "4 requests from me@desk, me@laptop and \N{REPLACEMENT CHARACTER}[2Jme wait"
        for task in waiting[1:]:
            task.cancel()
        await asyncio.sleep(1)
        assert person.lock.waiting_words == "1 request from me@desk waits"
        await world.unlock()
        await waiting[0]

    at_screen(tmp_path, story)


def test_after_the_unlocking_each_key_asks_as_it_is_set(tmp_path: Path) -> None:
    async def story(world: ScreenWorld) -> None:
        asking, silent = await world.new_key(b"asking"), await world.new_key(b"silent")
        world.phone.set_key_setting(silent, NEVER)
        world.person.lock.lock()
        asks = [world.begin_to_sign(asking, data) for data in (1, 2)]
        quiet = world.begin_to_sign(silent, 3)
        await asyncio.sleep(1)
        await world.unlock()
        assert (await quiet).ckr == Ckr.OK
        sheet = await world.tap()
        assert (sheet.words, sheet.count) == ("sign with 'asking' for me@pc, 2 times", 2)
        assert [answer.ckr for answer in await asyncio.gather(*asks)] == 2 * [Ckr.OK]

    at_screen(tmp_path, story)


def test_the_time_of_a_question_goes_on_while_the_phone_is_locked(tmp_path: Path) -> None:
    async def story(world: ScreenWorld) -> None:
        key = await world.new_key()
        world.person.lock.lock()
        begun = asyncio.get_running_loop().time()
        answer = world.begin_to_sign(key)
        await asyncio.sleep(40)
        await world.unlock()
        sheet = await world.sheet(ApprovalSheet)
        assert 19 < world.person.sheets.seconds_left(sheet) < 20
        refused = await answer
        assert (refused.ckr, refused.words) == (Ckr.FUNCTION_CANCELED, "nobody answered on the device")
        assert 60 <= asyncio.get_running_loop().time() - begun < 61

    at_screen(tmp_path, story)


def test_nobody_unlocks_and_every_request_ends_in_time(tmp_path: Path) -> None:
    async def story(world: ScreenWorld) -> None:
        key = await world.new_key()
        world.person.lock.lock()
        with counted_signatures() as signed:
            waiting = [world.begin_to_sign(key, data) for data in range(3)]
            assert {(await answer).ckr for answer in waiting} == {Ckr.FUNCTION_CANCELED}
            assert world.person.lock.waiting_words == ""
            await world.unlock()
            await asyncio.sleep(60)
        assert not signed

    at_screen(tmp_path, story)


def test_a_program_that_gave_up_waits_no_more(tmp_path: Path) -> None:
    async def story(world: ScreenWorld) -> None:
        key = await world.new_key()
        world.person.lock.lock()
        with counted_signatures() as signed, pytest.raises(Exception, match="FUNCTION_CANCELED"):
            await world.begin_to_sign(key, within=3)
        await asyncio.sleep(1)
        assert world.person.lock.waiting == 0
        await world.unlock()
        await asyncio.sleep(60)
        assert not signed

    at_screen(tmp_path, story)


def test_a_login_waits_for_the_unlocking_and_needs_no_pin_after_it(tmp_path: Path) -> None:
    async def story(world: ScreenWorld) -> None:
        world.person.lock.lock()
        first = world.begin_to_ask(catalogue.LOGIN_USER, 1, None)
        assert await world.asks() == ["unlock the phone: log in for me@pc"]
        assert world.person.lock.waiting_words == "1 login from me@pc waits"
        await world.unlock()
        assert (await first).ckr == Ckr.OK
        assert (await world.ask(catalogue.LOGIN_USER, 1, None)).ckr == Ckr.OK
        assert await world.asks() == []

    at_screen(tmp_path, story)


def test_a_login_is_called_one_whatever_waits_behind_it_at_the_computer(tmp_path: Path) -> None:
    """An agent has one login for all its programs: the phone cannot know how many requests come after it."""

    async def story(world: ScreenWorld) -> None:
        key, lock = await world.new_key(b"work"), world.person.lock
        lock.lock()
        waiting = [world.begin_to_ask(catalogue.LOGIN_USER, 1, None)]
        waiting += [world.begin_to_sign(key, data) for data in range(3)]
        await world.until(lambda: lock.waiting == 4)
        assert lock.waiting_words == "1 login and 3 requests from me@pc wait"
        waiting += [world.begin_to_ask(catalogue.LOGIN_USER, 1, None)]
        await world.until(lambda: lock.waiting == 5)
        assert lock.waiting_words == "2 logins and 3 requests from me@pc wait"
        await world.unlock()
        sheet = await world.sheet(ApprovalSheet)
        await world.until(lambda: sheet.count == 3)
        await world.tap()
        assert {answer.ckr for answer in await asyncio.gather(*waiting)} == {Ckr.OK}

    at_screen(tmp_path, story)


def test_a_locked_phone_makes_changes_and_destroys_no_key(tmp_path: Path) -> None:
    async def story(world: ScreenWorld) -> None:
        key = await world.new_key(b"work")
        generation = world.phone.token.generation
        for words, spec, values in (
            ("destroy the key 'work'", catalogue.DESTROY_OBJECT, (key,)),
            ("change the key 'work'", catalogue.SET_ATTRIBUTES, (key, Cka.LABEL, b"other")),
            ("copy the key 'work'", catalogue.COPY_OBJECT, (key, Cka.LABEL, b"other")),
            ("take in the key 'work'", catalogue.CREATE_OBJECT, (Cka.CLASS, Cko.PRIVATE_KEY, Cka.LABEL, b"work")),
            (
                "make the key 'work'",
                catalogue.GENERATE_KEY_PAIR,
                (Ckm.EC_KEY_PAIR_GEN, None, 1, Cka.EC_PARAMS, P256, Cka.LABEL, b"work"),
            ),
        ):
            world.person.lock.lock()
            answer = world.begin_to_ask(spec, *values)
            assert await world.asks() == [f"unlock the phone: {words} for me@pc"]
            assert (answer.done(), world.phone.token.generation) == (False, generation)
            answer.cancel()
            await asyncio.sleep(1)
            assert world.person.lock.waiting == 0
        destroyed = world.begin_to_ask(catalogue.DESTROY_OBJECT, key)
        await asyncio.sleep(1)
        await world.unlock()
        assert (await destroyed).ckr == Ckr.OK

    at_screen(tmp_path, story)


def test_what_is_no_private_key_needs_no_unlocking(tmp_path: Path) -> None:
    async def story(world: ScreenWorld) -> None:
        key = await world.new_key()
        world.person.lock.lock()
        assert (await world.ask(catalogue.DESTROY_OBJECT, key - 1)).ckr == Ckr.OK
        assert (await world.ask(catalogue.DESTROY_OBJECT, key + 1)).ckr == Ckr.OBJECT_HANDLE_INVALID
        assert (await world.ask(catalogue.GENERATE_RANDOM, 8)).ckr == Ckr.OK
        data = (Cka.CLASS, Cko.DATA, Cka.TOKEN, True, Cka.VALUE, b"note")
        assert (await world.ask(catalogue.CREATE_OBJECT, *data)).ckr == Ckr.OK

    at_screen(tmp_path, story)


def test_wrong_pins_are_counted_told_to_the_pc_and_end_in_a_blocked_phone(tmp_path: Path) -> None:
    async def story(world: ScreenWorld) -> None:
        person, lock = world.person, world.person.lock
        key = await world.new_key()
        lock.lock()
        answer = world.begin_to_sign(key)
        await asyncio.sleep(1)
        assert [await person.unlock(pin) for pin in (WRONG_PIN, b"123", WRONG_PIN)] == [
            Typed(Outcome.WRONG, "Wrong PIN, 2 tries left"),
            Typed(Outcome.UNFIT, "A PIN has 4 to 64 digits or plain letters; other characters count as 2 to 4."),
            Typed(Outcome.WRONG, "Wrong PIN, 1 try left, then the PIN is blocked"),
        ]
        assert (lock.tries_left, lock.is_blocked) == (1, False)
        blocked = await person.unlock(WRONG_PIN)
        assert blocked.outcome is Outcome.BLOCKED
        assert blocked.words == lock.words
        assert "pkcs11-tool --login --login-type so --init-pin" in lock.words
        assert lock.is_blocked
        refused = await answer
        assert (refused.ckr, refused.words) == (Ckr.PIN_LOCKED, "the phone is locked, and its PIN is blocked")
        # Whoever comes now hears it at once, and the right PIN does not help.
        assert (await world.ask(catalogue.LOGIN_USER, 1, None)).ckr == Ckr.PIN_LOCKED
        assert (await person.unlock(USER_PIN)).outcome is Outcome.BLOCKED
        assert world.phone.token_flags() & TokenFlag.USER_PIN_LOCKED

    at_screen(tmp_path, story)


def test_a_pin_that_is_tapped_in_twice_costs_one_try(tmp_path: Path) -> None:
    async def story(world: ScreenWorld) -> None:
        lock = world.person.lock
        lock.lock()
        first, second = await asyncio.gather(lock.unlock(WRONG_PIN), lock.unlock(WRONG_PIN))
        assert (first.outcome, second.outcome) == (Outcome.WRONG, Outcome.BUSY)
        assert lock.tries_left == 2

    at_screen(tmp_path, story)


@pytest.mark.parametrize(("wrong", "words"), [(1, "2 tries left"), (2, "1 try left, then the PIN is blocked")])
def test_tries_that_were_lost_before_are_said_at_the_start(tmp_path: Path, wrong: int, words: str) -> None:
    async def story(world: ScreenWorld) -> None:
        world.person.lock.lock()
        for _ in range(wrong):
            await world.person.unlock(WRONG_PIN)
        world.restart_phone()
        assert world.person.lock.is_locked
        assert world.person.lock.words == words
        await world.unlock()
        assert world.person.lock.words == ""

    at_screen(tmp_path, story)


def test_the_phone_locks_itself_when_nobody_taps(tmp_path: Path) -> None:
    async def story(world: ScreenWorld) -> None:
        lock = world.person.lock
        lock.touch()
        await asyncio.sleep(AUTO_LOCK - 1)
        assert not lock.is_locked
        lock.touch()
        await asyncio.sleep(AUTO_LOCK - 1)
        assert not lock.is_locked
        await asyncio.sleep(2)
        assert lock.is_locked
        assert lock.master_key is None

    at_screen(tmp_path, story)


@pytest.mark.parametrize("seconds", AUTO_LOCK_CHOICES)
def test_the_person_chooses_when(tmp_path: Path, seconds: int | None) -> None:
    async def story(world: ScreenWorld) -> None:
        world.person.set_auto_lock(seconds)
        world.restart_phone()
        await world.unlock()
        assert world.person.lock.auto_lock == seconds
        await asyncio.sleep(100_000 if seconds is None else seconds - 1)
        assert not world.person.lock.is_locked
        if seconds is not None:
            await asyncio.sleep(2)
            assert world.person.lock.is_locked

    at_screen(tmp_path, story)


def test_another_time_is_refused_and_so_is_every_setting_of_a_locked_phone(tmp_path: Path) -> None:
    async def story(world: ScreenWorld) -> None:
        person = world.person
        with pytest.raises(ValueError, match="a phone locks itself after one of"):
            person.set_auto_lock(61)
        person.lock.lock()
        with pytest.raises(PhoneLockedError):
            person.set_auto_lock(None)
        with pytest.raises(PhoneLockedError):
            person.open_pairing()
        assert person.lock.auto_lock == AUTO_LOCK

    at_screen(tmp_path, story)


def test_a_sheet_of_a_phone_that_locked_itself_is_hidden_and_waits(tmp_path: Path) -> None:
    async def story(world: ScreenWorld) -> None:
        person = world.person
        key = await world.new_key()
        person.set_auto_lock(60)
        await asyncio.sleep(55)
        answer = world.begin_to_sign(key)
        sheet = await world.sheet(ApprovalSheet)
        assert person.visible_sheets == [sheet]
        await asyncio.sleep(10)
        assert person.lock.is_locked
        assert (person.visible_sheets, list(person.sheets)) == ([], [sheet])
        with pytest.raises(PhoneLockedError):
            person.answer(sheet.id, is_yes=True)
        await world.unlock()
        assert person.visible_sheets == [sheet]
        assert 45 < person.sheets.seconds_left(sheet) < 55
        person.answer(sheet.id, is_yes=True)
        assert (await answer).ckr == Ckr.OK

    at_screen(tmp_path, story)


def test_a_lost_power_locks_the_phone_and_a_login_goes_on_after_the_unlocking(tmp_path: Path) -> None:
    async def story(world: ScreenWorld) -> None:
        key = await world.new_key()
        world.phone.set_key_setting(key, NEVER)
        login = await world.ask(catalogue.LOGIN_USER, 1, None)
        number, ticket = login.lines[0]
        world.restart_phone()
        await world.until(lambda: world.manager.greeting is None)
        await world.until(lambda: world.manager.greeting is not None)
        assert (await world.ask(catalogue.RESUME, number, ticket)).ckr == Ckr.OK
        answer = world.begin_to_sign(key)
        await asyncio.sleep(1)
        assert world.person.lock.waiting == 1
        await world.unlock()
        assert (await answer).ckr == Ckr.OK

    at_screen(tmp_path, story)


@pytest.mark.clause("P14")
def test_the_lock_shows_no_secret(tmp_path: Path) -> None:
    async def story(world: ScreenWorld) -> None:
        lock = world.person.lock
        assert lock.master_key is not None
        for thing in (lock, world.person, world.phone, world.person.sheets):
            assert lock.master_key.hex() not in repr(thing)
            assert repr(lock.master_key)[2:-1] not in repr(thing)
            assert USER_PIN.decode() not in repr(thing)

    at_screen(tmp_path, story)
