"""Sheets on the phone's screen: a tap answers once, a late one does nothing, and each key asks as it is set."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from fob_device.screen.errors import SheetGoneError
from fob_device.screen.person import PAIRING_OPEN
from fob_device.screen.sheets import ApprovalSheet, PairingSheet, PinSheet
from fob_device.settings import ONCE_MAX, Ask, KeySetting
from fob_protocol import catalogue
from fob_protocol.caller import Caller, Purpose
from fob_protocol.limits import PAIRING_TIME
from fob_protocol.link.frames import Reason
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.errors import CkrError
from support.screen_world import ScreenWorld, at_screen
from support.world import World, counted_signatures

SSH = Caller(("ssh", "zsh"), Purpose.LOGIN, host="github.com")
FORWARDED = replace(SSH, is_forwarded=True)
WORDS = "log in to github.com with 'work' for ssh <- zsh on me@pc"
NEVER = KeySetting(Ask.NEVER)
FIVE_MINUTES = KeySetting(Ask.ONCE, 300)


def test_a_yes_signs_and_a_no_does_not(tmp_path: Path) -> None:
    async def story(world: ScreenWorld) -> None:
        key = await world.new_key(b"work")
        with counted_signatures() as signed:
            answer = world.begin_to_sign(key, 1, SSH)
            sheet = await world.sheet(ApprovalSheet)
            assert (sheet.words, sheet.count, sheet.can_be_remembered) == (WORDS, 1, True)
            assert await world.asks() == [WORDS]
            await world.tap()
            assert (await answer).ckr == Ckr.OK
            answer = world.begin_to_sign(key, 2, SSH)
            await world.tap(is_yes=False)
            assert (await answer).ckr == Ckr.FUNCTION_REJECTED
        assert signed == {bytes([1]) * 32: 1}

    at_screen(tmp_path, story)


@pytest.mark.parametrize("is_yes", [True, False])
def test_a_tap_that_is_said_again_answers_nothing_else(tmp_path: Path, is_yes: bool) -> None:
    async def story(world: ScreenWorld) -> None:
        key = await world.new_key()
        first = world.begin_to_sign(key, 1)
        old = await world.tap(is_yes=is_yes)
        await first
        second = world.begin_to_sign(key, 2)
        new = await world.sheet(ApprovalSheet)
        assert new.id != old.id
        with pytest.raises(SheetGoneError):
            world.person.answer(old.id, is_yes=True)
        assert not second.done()
        await world.tap(is_yes=False)
        assert (await second).ckr == Ckr.FUNCTION_REJECTED

    at_screen(tmp_path, story)


@pytest.mark.parametrize("guessed", ["", "0" * 32, "work", "\N{SNOWMAN}"])
def test_a_guessed_sheet_is_no_sheet(tmp_path: Path, guessed: str) -> None:
    async def story(world: ScreenWorld) -> None:
        answer = world.begin_to_sign(await world.new_key())
        await world.sheet(ApprovalSheet)
        with pytest.raises(SheetGoneError):
            world.person.answer(guessed, is_yes=True)
        with pytest.raises(SheetGoneError):
            world.person.compare_answer(guessed, is_equal=True)
        with pytest.raises(SheetGoneError):
            world.person.cancel(guessed)
        with pytest.raises(SheetGoneError):
            await world.person.type_pin(guessed, b"1234")
        await world.tap(is_yes=False)
        await answer

    at_screen(tmp_path, story)


def test_a_sheet_of_another_kind_is_not_answered_by_its_id(tmp_path: Path) -> None:
    async def story(world: ScreenWorld) -> None:
        answer = world.begin_to_sign(await world.new_key())
        sheet = await world.sheet(ApprovalSheet)
        with pytest.raises(SheetGoneError):
            world.person.compare_answer(sheet.id, is_equal=True)
        with pytest.raises(SheetGoneError):
            world.person.cancel(sheet.id)
        await world.tap(is_yes=False)
        await answer

    at_screen(tmp_path, story)


def test_a_question_that_is_withdrawn_goes_away_and_a_late_tap_does_nothing(tmp_path: Path) -> None:
    async def story(world: ScreenWorld) -> None:
        key = await world.new_key()
        with counted_signatures() as signed:
            answer = world.begin_to_sign(key, within=5)
            sheet = await world.sheet(ApprovalSheet)
            with pytest.raises(CkrError):
                await answer
            await asyncio.sleep(1)
            assert list(world.person.sheets) == []
            with pytest.raises(SheetGoneError):
                world.person.answer(sheet.id, is_yes=True)
            await asyncio.sleep(60)
        assert not signed

    at_screen(tmp_path, story)


def test_a_question_whose_time_is_over_goes_away_and_a_late_tap_does_nothing(tmp_path: Path) -> None:
    async def story(world: ScreenWorld) -> None:
        key = await world.new_key()
        with counted_signatures() as signed:
            answer = world.begin_to_sign(key)
            sheet = await world.sheet(ApprovalSheet)
            assert (await answer).ckr == Ckr.FUNCTION_CANCELED
            assert world.person.sheets.seconds_left(sheet) == pytest.approx(0, abs=0.5)
            with pytest.raises(SheetGoneError):
                world.person.answer(sheet.id, is_yes=True)
        assert not signed

    at_screen(tmp_path, story)


def test_who_joins_a_question_late_gives_it_more_time(tmp_path: Path) -> None:
    async def story(world: ScreenWorld) -> None:
        key = await world.new_key()
        early = world.begin_to_sign(key, 1)
        sheet = await world.sheet(ApprovalSheet)
        await asyncio.sleep(50)
        late = world.begin_to_sign(key, 2)
        await asyncio.sleep(1)
        assert (sheet.count, round(world.person.sheets.seconds_left(sheet))) == (2, 59)
        assert (await early).ckr == Ckr.FUNCTION_CANCELED
        assert sheet.count == 1
        await world.tap()
        assert (await late).ckr == Ckr.OK

    at_screen(tmp_path, story)


def test_whoever_shows_the_screen_hears_of_every_change(tmp_path: Path) -> None:
    async def story(world: ScreenWorld) -> None:
        key = await world.new_key()
        seen: list[list[str]] = []
        stop_listening = world.person.on_change.add(
            lambda: seen.append([sheet.words for sheet in world.person.visible_sheets])
        )
        other: list[bool] = []
        world.person.on_change.add(lambda: other.append(world.person.lock.is_locked))
        answers = [world.begin_to_sign(key, 1)]
        await world.sheet(ApprovalSheet)
        assert seen[-1] == ["sign with 'key' for me@pc"]
        answers.append(world.begin_to_sign(key, 2))
        await asyncio.sleep(1)
        assert seen[-1] == ["sign with 'key' for me@pc, 2 times"]
        await world.tap()
        assert seen[-1] == []
        await asyncio.gather(*answers)
        stop_listening()
        count = len(seen)
        world.person.lock.lock()
        assert (len(seen), other[-1]) == (count, True)

    at_screen(tmp_path, story)


def test_a_yes_is_remembered_for_as_long_as_the_person_says(tmp_path: Path) -> None:
    async def story(world: ScreenWorld) -> None:
        key = await world.new_key()
        answer = world.begin_to_sign(key, 1, SSH)
        await world.tap(remember=60)
        assert (await answer).ckr == Ckr.OK
        assert (await world.begin_to_sign(key, 2, SSH)).ckr == Ckr.OK
        await asyncio.sleep(61)
        answer = world.begin_to_sign(key, 3, SSH)
        await world.tap(is_yes=False)
        assert (await answer).ckr == Ckr.FUNCTION_REJECTED

    at_screen(tmp_path, story)


@pytest.mark.parametrize("seconds", [-1, ONCE_MAX + 1])
def test_no_yes_is_remembered_for_ever(tmp_path: Path, seconds: int) -> None:
    async def story(world: ScreenWorld) -> None:
        answer = world.begin_to_sign(await world.new_key())
        sheet = await world.sheet(ApprovalSheet)
        with pytest.raises(ValueError, match="a yes is remembered for 0 to 43200 seconds"):
            world.person.answer(sheet.id, is_yes=True, remember_seconds=seconds)
        await world.tap(is_yes=False)
        assert (await answer).ckr == Ckr.FUNCTION_REJECTED

    at_screen(tmp_path, story)


# Settings of a key.


def test_a_key_asks_always_at_first(tmp_path: Path) -> None:
    async def story(world: ScreenWorld) -> None:
        key = await world.new_key()
        for data in (1, 2):
            answer = world.begin_to_sign(key, data, SSH)
            await world.tap()
            assert (await answer).ckr == Ckr.OK

    at_screen(tmp_path, story)


def test_a_key_that_asks_never_is_used_without_a_word(tmp_path: Path) -> None:
    async def story(world: ScreenWorld) -> None:
        key = await world.new_key()
        world.phone.set_key_setting(key, NEVER)
        with counted_signatures() as signed:
            answers = await asyncio.gather(*(world.begin_to_sign(key, data, SSH) for data in range(5)))
        assert ([answer.ckr for answer in answers], signed.total()) == (5 * [Ckr.OK], 5)
        assert await world.asks() == []

    at_screen(tmp_path, story)


def test_a_key_that_asks_once_remembers_a_plain_yes_for_its_time_and_the_same_question(tmp_path: Path) -> None:
    async def story(world: ScreenWorld) -> None:
        key = await world.new_key()
        world.phone.set_key_setting(key, FIVE_MINUTES)
        answer = world.begin_to_sign(key, 1, SSH)
        await world.tap()
        assert (await answer).ckr == Ckr.OK
        assert (await world.begin_to_sign(key, 2, SSH)).ckr == Ckr.OK
        answer = world.begin_to_sign(key, 3, replace(SSH, host="gitlab.com"))
        await world.tap(is_yes=False)
        assert (await answer).ckr == Ckr.FUNCTION_REJECTED
        world.person.set_auto_lock(None)
        await asyncio.sleep(300)
        answer = world.begin_to_sign(key, 4, SSH)
        await world.tap()
        assert (await answer).ckr == Ckr.OK

    at_screen(tmp_path, story)


@pytest.mark.parametrize("setting", [NEVER, FIVE_MINUTES])
def test_a_forwarded_request_asks_with_every_setting(tmp_path: Path, setting: KeySetting) -> None:
    async def story(world: ScreenWorld) -> None:
        key = await world.new_key()
        world.phone.set_key_setting(key, setting)
        for data in (1, 2):
            answer = world.begin_to_sign(key, data, FORWARDED)
            sheet = await world.tap(remember=300)
            assert not sheet.can_be_remembered
            assert sheet.words.endswith(", from another machine (forwarded agent)")
            assert (await answer).ckr == Ckr.OK

    at_screen(tmp_path, story)


def test_a_new_setting_ends_what_was_granted_for_its_key_alone(tmp_path: Path) -> None:
    async def story(world: ScreenWorld) -> None:
        key, other = await world.new_key(b"work"), await world.new_key(b"other")
        for each in (key, other):
            answer = world.begin_to_sign(each, 1, SSH)
            await world.tap(remember=300)
            await answer
        world.phone.set_key_setting(key, KeySetting())
        assert (await world.begin_to_sign(other, 2, SSH)).ckr == Ckr.OK
        answer = world.begin_to_sign(key, 2, SSH)
        await world.tap()
        assert (await answer).ckr == Ckr.OK

    at_screen(tmp_path, story)


# Pairing.


def test_nobody_pairs_until_the_person_opens_pairing(tmp_path: Path) -> None:
    async def story(world: ScreenWorld) -> None:
        assert not world.person.pairing_open, "the computer that paired closed it"
        await world.disconnect()
        with pytest.raises(Exception, match="pairing is closed") as refused:
            await World.pair(world)
        assert getattr(refused.value, "reason", None) is Reason.PAIRING_CLOSED
        world.person.set_auto_lock(None)
        world.person.open_pairing()
        assert world.person.pairing_seconds_left == PAIRING_OPEN
        changes: list[bool] = []
        world.person.on_change.add(lambda: changes.append(world.person.pairing_open))
        await asyncio.sleep(PAIRING_OPEN + 1)
        assert changes == [False]
        world.person.open_pairing()
        world.person.lock.lock()
        assert not world.person.pairing_open

    at_screen(tmp_path, story)


def test_the_person_compares_the_code_that_the_pc_shows(tmp_path: Path) -> None:
    async def story(world: ScreenWorld) -> None:
        await world.disconnect()
        shown: list[str] = []

        async def compare(code: str, device: object) -> bool:
            shown.append(code)
            return True

        world.person.open_pairing()
        pairing = asyncio.create_task(World.pair(world, compare))
        sheet = await world.sheet(PairingSheet)
        await world.until(lambda: bool(shown))
        assert shown == [sheet.code]
        assert sheet.words == f"Does the computer show {shown[0][:3]} {shown[0][3:]}?"
        assert world.person.sheets.seconds_left(sheet) > PAIRING_TIME - 5
        world.person.compare_answer(sheet.id, is_equal=False)
        with pytest.raises(Exception, match="no"):
            await pairing
        with pytest.raises(SheetGoneError):
            world.person.compare_answer(sheet.id, is_equal=True)

    at_screen(tmp_path, story)


def test_a_pairing_that_nobody_answers_ends_and_its_sheet_with_it(tmp_path: Path) -> None:
    async def story(world: ScreenWorld) -> None:
        await world.disconnect()
        world.person.open_pairing()
        pairing = asyncio.create_task(World.pair(world))
        await world.sheet(PairingSheet)
        with pytest.raises(TimeoutError):
            await pairing
        await asyncio.sleep(1)
        assert list(world.person.sheets) == []

    at_screen(tmp_path, story)


@pytest.mark.clause("P14")
def test_a_program_that_calls_itself_something_steers_no_sheet(tmp_path: Path) -> None:
    async def story(world: ScreenWorld) -> None:
        key = await world.new_key(b"\x1b[2J\xe2\x80\xae<script>")
        evil = Caller(("\x1b[2Jssh\n", "\u202ezsh"), Purpose.LOGIN, "\x00host")
        answer = world.begin_to_sign(key, 1, evil)
        sheet = await world.tap(is_yes=False)
        assert sheet.words.isprintable()
        await answer

    at_screen(tmp_path, story)


def test_a_pin_is_never_in_a_sheet(tmp_path: Path) -> None:
    async def story(world: ScreenWorld) -> None:
        answer = world.begin_to_ask(catalogue.SET_PIN, 1, None, None)
        await world.type_pins(b"123456", b"271828")
        sheet = await world.sheet(PinSheet)
        assert "271828" not in repr(sheet)
        assert "271828" not in repr(world.person._pins._entering)
        world.person.cancel(sheet.id)
        assert (await answer).ckr == Ckr.FUNCTION_CANCELED

    at_screen(tmp_path, story)
