"""PINs are typed on the phone's own pad: what a PC sends is not looked at, and what is typed crosses no line."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from fob_device.approval.questions import Operation, Question
from fob_device.approval.rules import Rules
from fob_device.pad.entry import PinEntry, PinUse
from fob_device.screen.errors import PhoneLockedError, SheetGoneError
from fob_device.screen.sheets import ApprovalSheet, PinSheet
from fob_device.screen.typed import Outcome as TypedOutcome
from fob_device.security.manager import SecurityManager
from fob_protocol import catalogue
from fob_protocol.at.attribute_list import attributes_to_values
from fob_protocol.caller import Caller, Purpose
from fob_protocol.history.entry import Kind, Outcome
from fob_protocol.history.words import entry_words
from fob_protocol.pkcs11.attributes import Attributes
from fob_protocol.pkcs11.cka import Cka
from fob_protocol.pkcs11.ckm import Ckm
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.constants import Cku
from fob_protocol.pkcs11.flags import TokenFlag
from support.screen_world import WRONG_PIN, ScreenWorld, at_screen
from support.virtual_loop import run_virtually
from support.world import P256, SO_PIN, USER_PIN, World, counted_signatures

NEW_PIN = b"271828"
SSH = Caller(("ssh", "zsh"), Purpose.LOGIN, host="github.com")
SENT = [None, b"", b"dummy", b"x" * 64, USER_PIN]
ALL_TRIES = 3


async def guarded_key(world: World) -> int:
    """A key that asks for the PIN at every use; its handle."""
    public: Attributes = {Cka.TOKEN: True, Cka.EC_PARAMS: P256}
    private: Attributes = {Cka.TOKEN: True, Cka.LABEL: b"work", Cka.ALWAYS_AUTHENTICATE: True}
    await world.login()
    lists = (*attributes_to_values(public), *attributes_to_values(private))
    command = catalogue.GENERATE_KEY_PAIR.build(Ckm.EC_KEY_PAIR_GEN, None, len(public), *lists)
    answer = await world.manager.request(command, timeout=30)
    answer.raise_for_ckr()
    handle = answer.lines[2][0]
    assert isinstance(handle, int)
    return handle


def flags(world: World) -> TokenFlag:
    """What the phone says of the user's PIN."""
    counters = TokenFlag.USER_PIN_COUNT_LOW | TokenFlag.USER_PIN_FINAL_TRY | TokenFlag.USER_PIN_LOCKED
    return world.phone.token_flags() & counters


# What a PC sends.


@pytest.mark.clause("P8")
@pytest.mark.parametrize("sent", SENT)
def test_whatever_a_pc_sends_as_the_pin_is_not_looked_at(tmp_path: Path, sent: bytes | None) -> None:
    async def story(world: ScreenWorld) -> None:
        world.person.lock.lock()
        answer = world.begin_to_ask(catalogue.LOGIN_USER, 1, sent)
        await asyncio.sleep(1)
        assert not answer.done()
        assert world.person.lock.tries_left == ALL_TRIES
        await world.unlock()
        assert (await answer).ckr == Ckr.OK

    at_screen(tmp_path, story)


@pytest.mark.parametrize("sent", SENT)
def test_a_rule_file_s_pad_does_not_look_at_it_either(tmp_path: Path, sent: bytes | None) -> None:
    async def story() -> None:
        world = await World.paired(tmp_path, 1, Rules(typed_pin=USER_PIN))
        for _ in range(ALL_TRIES + 1):
            login = catalogue.LOGIN_USER.build(1, sent)
            assert (await world.manager.request(login, timeout=5)).ckr == Ckr.OK
        assert not flags(world)
        await world.close()

    run_virtually(story())


def test_a_rule_file_that_types_a_wrong_pin_types_it_once_and_the_pc_hears_it(tmp_path: Path) -> None:
    async def story() -> None:
        world = await World.paired(tmp_path, 1, Rules(typed_pin=WRONG_PIN))
        for ckr in (*ALL_TRIES * [Ckr.PIN_INCORRECT], Ckr.PIN_LOCKED):
            assert (await world.manager.request(catalogue.LOGIN_USER.build(1), timeout=5)).ckr == ckr
        await world.close()

    run_virtually(story())


class Typing(Rules):
    """Notes what each PIN is typed for."""

    typed: list[PinUse]

    def pin_for(self, entry: PinEntry) -> bytes | None:
        self.typed.append(entry.use)
        return super().pin_for(entry)


@pytest.mark.parametrize(("seconds", "typed"), [(300, 3), (0, 5)])
def test_a_rule_file_s_phone_stays_unlocked_for_so_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seconds: float, typed: int
) -> None:
    monkeypatch.setattr(Typing, "typed", [], raising=False)

    async def story() -> None:
        rules = Typing(typed_pin=USER_PIN, unlocked_for=seconds)
        world = await World.paired(tmp_path, 1, rules)
        for pause in (0, 1, 298, 2):
            await asyncio.sleep(pause)
            await world.login()
        # Where a PIN was set it is locked.
        rules.forget_pin()
        await world.login()
        assert Typing.typed == [PinUse.LOGIN] * typed
        assert USER_PIN.decode() not in repr(rules)
        await world.close()

    run_virtually(story())


# The security officer's PIN.


def test_the_officer_s_pin_is_asked_for_also_on_a_locked_phone_until_it_is_right(tmp_path: Path) -> None:
    async def story(world: ScreenWorld) -> None:
        world.person.lock.lock()
        answer = world.begin_to_ask(catalogue.LOGIN_USER, 0, b"dummy")
        sheet = await world.sheet(PinSheet)
        assert world.person.visible_sheets == [sheet]
        assert sheet.words == "type the security officer's PIN to log in for me@pc"
        assert await world.asks() == [sheet.words]
        wrong = await world.person.type_pin(sheet.id, WRONG_PIN)
        assert (wrong.outcome, wrong.words) == (TypedOutcome.WRONG, "Wrong PIN, 9 tries left")
        assert sheet.said == wrong.words
        assert await world.type_pins(SO_PIN) == [""]
        assert (await answer).ckr == Ckr.OK
        with pytest.raises(SheetGoneError):
            await world.person.type_pin(sheet.id, SO_PIN)
        assert world.person.lock.is_locked, "it is the user's phone"

    at_screen(tmp_path, story)


def test_the_person_may_give_up(tmp_path: Path) -> None:
    async def story(world: ScreenWorld) -> None:
        answer = world.begin_to_ask(catalogue.LOGIN_USER, 0, None)
        sheet = await world.sheet(PinSheet)
        world.person.cancel(sheet.id)
        refused = await answer
        assert (refused.ckr, refused.words) == (Ckr.FUNCTION_CANCELED, "no PIN was typed on the device")

    at_screen(tmp_path, story)


def test_two_programs_that_ask_for_the_same_pin_get_by_with_one(tmp_path: Path) -> None:
    async def story(world: ScreenWorld) -> None:
        answers = [world.begin_to_ask(catalogue.LOGIN_USER, 0, None) for _ in range(2)]
        sheet = await world.sheet(PinSheet)
        await asyncio.sleep(1)
        assert sheet.count == 2
        assert await world.type_pins(SO_PIN) == [""]
        assert [(await answer).ckr for answer in answers] == 2 * [Ckr.OK]

    at_screen(tmp_path, story)


def test_one_of_two_that_gives_up_leaves_the_sheet_to_the_other(tmp_path: Path) -> None:
    async def story(world: ScreenWorld) -> None:
        impatient = world.begin_to_ask(catalogue.LOGIN_USER, 0, None, within=5)
        patient = world.begin_to_ask(catalogue.LOGIN_USER, 0, None)
        with pytest.raises(Exception, match="FUNCTION_CANCELED"):
            await impatient
        await asyncio.sleep(1)
        assert (await world.sheet(PinSheet)).count == 1
        assert await world.type_pins(SO_PIN) == [""]
        assert (await patient).ckr == Ckr.OK

    at_screen(tmp_path, story)


# A key that asks for its PIN at every use.


@pytest.mark.clause("P8")
def test_a_key_of_its_own_pin_asks_on_an_unlocked_phone_too_and_then_no_more(tmp_path: Path) -> None:
    async def story(world: ScreenWorld) -> None:
        key = await guarded_key(world)
        login = world.begin_to_ask(catalogue.LOGIN_USER, 2, b"dummy", key, 0, SSH.to_block())
        sheet = await world.sheet(PinSheet)
        assert sheet.words == "type the PIN to log in to github.com with 'work' for ssh <- zsh on me@pc"
        assert await world.type_pins(USER_PIN) == [""]
        assert (await login).ckr == Ckr.OK
        # One approval for each operation, however the client calls it.
        with counted_signatures() as signed:
            assert (await world.begin_to_sign(key, 1, SSH)).ckr == Ckr.OK
        assert signed.total() == 1
        answer = world.begin_to_sign(key, 2, SSH)
        await world.tap()
        assert (await answer).ckr == Ckr.USER_NOT_LOGGED_IN

    at_screen(tmp_path, story)


@pytest.mark.parametrize(
    "other", [replace(SSH, host="gitlab.com"), replace(SSH, programs=("scp",)), replace(SSH, is_forwarded=True)]
)
def test_a_pin_that_was_typed_for_one_program_approves_nothing_of_another(tmp_path: Path, other: Caller) -> None:
    async def story(world: ScreenWorld) -> None:
        key = await guarded_key(world)
        login = world.begin_to_ask(catalogue.LOGIN_USER, 2, None, key, 0, SSH.to_block())
        await world.type_pins(USER_PIN)
        assert (await login).ckr == Ckr.OK
        with counted_signatures() as signed:
            answer = world.begin_to_sign(key, 1, other)
            await world.tap(is_yes=False)
            assert (await answer).ckr == Ckr.FUNCTION_REJECTED
        assert not signed

    at_screen(tmp_path, story)


def test_a_pin_that_was_typed_for_one_computer_approves_nothing_of_another_of_its_name(tmp_path: Path) -> None:
    async def story(world: ScreenWorld) -> None:
        key = await guarded_key(world)
        other = SecurityManager(world.phone.token, world.person, pc_name="me@pc", pc_key=bytes(32))
        log_in = catalogue.LOGIN_USER.build(2, None, key, 0, SSH.to_block())
        (await other.execute(catalogue.LOGIN_USER.build(1, None))).raise_for_ckr()
        here, there = (
            world.begin_to_ask(catalogue.LOGIN_USER, *log_in.values),
            asyncio.create_task(other.execute(log_in)),
        )
        await world.until(lambda: len(world.person.sheets) == 2)
        first, second = world.person.sheets
        await world.person.type_pin(second.id, USER_PIN)
        await asyncio.sleep(1)
        # Which of the two came first does not matter.
        authorized, waiting = (there, here) if there.done() else (here, there)
        assert ((await authorized).ckr, waiting.done()) == (Ckr.OK, False)
        world.person.cancel(first.id)
        assert (await waiting).ckr == Ckr.FUNCTION_CANCELED
        question = Question(Operation.SIGN, "work", "me@pc", SSH, key)
        silent = {pc: world.person.is_silent(replace(question, pc_key=pc)) for pc in (world.pc_key, bytes(32))}
        assert silent == {world.pc_key: authorized is here, bytes(32): authorized is there}
        world.person.lock.lock()

    at_screen(tmp_path, story)


@pytest.mark.parametrize("gives_up", [True, False])
def test_a_use_that_gets_no_pin_is_written_down(tmp_path: Path, gives_up: bool) -> None:
    async def story(world: ScreenWorld) -> None:
        key = await guarded_key(world)
        login = world.begin_to_ask(catalogue.LOGIN_USER, 2, None, key, 0, SSH.to_block())
        sheet = await world.sheet(PinSheet)
        if gives_up:
            world.person.cancel(sheet.id)
        assert (await login).ckr == Ckr.FUNCTION_CANCELED
        (line,) = world.phone.history.newest(1)
        assert line.entry is not None
        said = Outcome.REFUSED if gives_up else Outcome.OUT_OF_TIME
        assert (line.entry.kind, line.entry.outcome, line.entry.key) == (Kind.USE, said, key)
        assert entry_words(line.entry) == "use once with 'work' for ssh <- zsh on me@pc"

    at_screen(tmp_path, story)


def test_a_pin_that_was_typed_before_the_phone_locked_itself_approves_nothing(tmp_path: Path) -> None:
    async def story(world: ScreenWorld) -> None:
        key = await guarded_key(world)
        login = world.begin_to_ask(catalogue.LOGIN_USER, 2, None, key, 0, SSH.to_block())
        await world.type_pins(USER_PIN)
        await login
        world.person.lock.lock()
        answer = world.begin_to_sign(key, 1, SSH)
        await asyncio.sleep(1)
        await world.unlock()
        assert isinstance(await world.tap(), ApprovalSheet)
        assert (await answer).ckr == Ckr.OK

    at_screen(tmp_path, story)


def test_two_uses_of_such_a_key_at_once_need_one_pin_and_are_done_once_each(tmp_path: Path) -> None:
    async def story(world: ScreenWorld) -> None:
        key = await guarded_key(world)
        logins = [world.begin_to_ask(catalogue.LOGIN_USER, 2, None, key, 0, SSH.to_block()) for _ in range(2)]
        await asyncio.sleep(1)
        assert await world.type_pins(USER_PIN) == [""]
        assert [(await login).ckr for login in logins] == 2 * [Ckr.OK]
        with counted_signatures() as signed:
            answers = await asyncio.gather(*(world.begin_to_sign(key, data, SSH) for data in (1, 2)))
        assert ([answer.ckr for answer in answers], signed.total()) == (2 * [Ckr.OK], 2)

    at_screen(tmp_path, story)


def test_its_pin_waits_for_the_unlocking(tmp_path: Path) -> None:
    async def story(world: ScreenWorld) -> None:
        key = await guarded_key(world)
        world.person.lock.lock()
        login = world.begin_to_ask(catalogue.LOGIN_USER, 2, None, key)
        assert await world.asks() == ["unlock the phone: use 'work' once for me@pc"]
        await world.unlock()
        sheet = await world.sheet(PinSheet)
        assert await world.asks() == ["type the PIN to use 'work' once for me@pc"]
        world.person.lock.lock()
        with pytest.raises(PhoneLockedError):
            await world.person.type_pin(sheet.id, USER_PIN)
        assert world.person.visible_sheets == []
        await world.unlock()
        assert await world.type_pins(USER_PIN) == [""]
        assert (await login).ckr == Ckr.OK

    at_screen(tmp_path, story)


def test_wrong_pins_on_a_sheet_are_counted_and_block(tmp_path: Path) -> None:
    async def story(world: ScreenWorld) -> None:
        key = await guarded_key(world)
        login = world.begin_to_ask(catalogue.LOGIN_USER, 2, None, key)
        said = await world.type_pins(WRONG_PIN, WRONG_PIN, WRONG_PIN)
        assert said[:2] == ["Wrong PIN, 2 tries left", "Wrong PIN, 1 try left, then the PIN is blocked"]
        assert said[2].startswith("The PIN is blocked.")
        assert (await login).ckr == Ckr.PIN_LOCKED
        # Nobody is asked in vain.
        assert (await world.ask(catalogue.LOGIN_USER, 2, None, key)).ckr == Ckr.PIN_LOCKED

    at_screen(tmp_path, story)


def test_every_wrong_try_is_told_to_the_pc(tmp_path: Path) -> None:
    async def story(world: ScreenWorld) -> None:
        told: list[int] = []
        world.manager.subscribe(
            lambda event: told.append(int(str(event.values[0]))) if event.name == catalogue.EVENT_TOKEN else None
        )
        world.person.lock.lock()
        for _ in range(2):
            await world.person.unlock(WRONG_PIN)
            await asyncio.sleep(1)
        await world.unlock()
        await asyncio.sleep(1)
        low, last = TokenFlag.USER_PIN_COUNT_LOW, TokenFlag.USER_PIN_COUNT_LOW | TokenFlag.USER_PIN_FINAL_TRY
        assert [TokenFlag(value) & last for value in told] == [low, last, TokenFlag(0)]

    at_screen(tmp_path, story)


# PINs that are set.


def test_the_user_changes_the_pin_on_the_pad(tmp_path: Path) -> None:
    async def story(world: ScreenWorld) -> None:
        key = await world.new_key()
        answer = world.begin_to_ask(catalogue.SET_PIN, 1, b"dummy", b"dummy too")
        assert await world.type_pins(WRONG_PIN, USER_PIN, b"123", NEW_PIN, USER_PIN, NEW_PIN, NEW_PIN) == [
            "Wrong PIN, 2 tries left",
            "",
            "A PIN has 4 to 64 digits or plain letters; other characters count as 2 to 4.",
            "Type it once more.",
            "The two PINs were not equal. Choose one again.",
            "Type it once more.",
            "",
        ]
        assert (await answer).ckr == Ckr.OK
        assert {words for words in await world.asks() if "PIN" in words} == {
            "type the PIN to change it for me@pc",
            "type a new PIN to change it for me@pc",
        }
        assert not world.person.lock.is_locked
        world.person.lock.lock()
        assert (await world.person.unlock(USER_PIN)).outcome is TypedOutcome.WRONG
        await world.unlock(NEW_PIN)
        signature = world.begin_to_sign(key)
        await world.tap()
        assert (await signature).ckr == Ckr.OK

    at_screen(tmp_path, story)


def test_the_officer_sets_the_pin_of_a_blocked_phone(tmp_path: Path) -> None:
    async def story(world: ScreenWorld) -> None:
        key = await world.new_key()
        world.person.lock.lock()
        for _ in range(ALL_TRIES):
            await world.person.unlock(WRONG_PIN)
        assert world.person.lock.is_blocked
        login = world.begin_to_ask(catalogue.LOGIN_USER, 0, None)
        await world.type_pins(SO_PIN)
        number = (await login).lines[0][0]
        answer = world.begin_to_ask(catalogue.INIT_PIN, None)
        sheet = await world.sheet(PinSheet)
        assert sheet.words == "type a new PIN to replace a forgotten one for me@pc"
        assert await world.type_pins(NEW_PIN, NEW_PIN) == ["Type it once more.", ""]
        assert (await answer).ckr == Ckr.OK
        assert (await world.ask(catalogue.LOGOUT, number)).ckr == Ckr.OK
        assert (world.person.lock.is_locked, world.person.lock.is_blocked) == (True, False)
        login = world.begin_to_ask(catalogue.LOGIN_USER, 1, None)
        await world.unlock(NEW_PIN)
        assert (await login).ckr == Ckr.OK
        signature = world.begin_to_sign(key)
        await world.tap()
        assert (await signature).ckr == Ckr.OK

    at_screen(tmp_path, story)


def test_a_pin_that_somebody_else_set_locks_the_phone(tmp_path: Path) -> None:
    async def story(world: ScreenWorld) -> None:
        login = world.begin_to_ask(catalogue.LOGIN_USER, 0, None)
        await world.type_pins(SO_PIN)
        await login
        answer = world.begin_to_ask(catalogue.INIT_PIN, None)
        await world.type_pins(NEW_PIN, NEW_PIN)
        assert (await answer).ckr == Ckr.OK
        assert world.person.lock.is_locked

    at_screen(tmp_path, story)


def test_nobody_is_asked_for_a_new_pin_before_the_officer_has_logged_in(tmp_path: Path) -> None:
    async def story(world: ScreenWorld) -> None:
        assert (await world.ask(catalogue.INIT_PIN, NEW_PIN)).ckr == Ckr.USER_NOT_LOGGED_IN
        assert await world.asks() == []

    at_screen(tmp_path, story)


def test_the_token_is_made_anew_by_the_officer_s_pin_and_the_sheet_says_what_goes(tmp_path: Path) -> None:
    async def story(world: ScreenWorld) -> None:
        await world.new_key()
        answer = world.begin_to_ask(catalogue.INIT_TOKEN, b"dummy", b"New phone")
        sheet = await world.sheet(PinSheet)
        assert sheet.words == (
            "type the security officer's PIN to ERASE every key on this phone and call it 'New phone', for me@pc"
        )
        assert (await world.type_pins(WRONG_PIN))[0] == "Wrong PIN, 9 tries left"
        assert world.phone.token.info().label == "World"
        assert await world.type_pins(SO_PIN) == [""]
        assert (await answer).ckr == Ckr.OK
        lock = world.person.lock
        assert (world.phone.token.info().label, lock.is_locked) == ("New phone", True)
        assert lock.words.startswith("No PIN is set.")
        # The old PIN opens nothing, and who asks hears at once why.
        assert (await world.person.unlock(USER_PIN)).outcome is TypedOutcome.BLOCKED
        assert (await world.ask(catalogue.LOGIN_USER, 1, None)).ckr == Ckr.USER_PIN_NOT_INITIALIZED

    at_screen(tmp_path, story)


def test_two_that_want_the_token_made_anew_are_two_questions() -> None:
    erase = PinEntry(PinUse.ERASE, Cku.SO, "me@pc", new_label="x")
    assert [PinEntry(use, Cku.SO, "me@pc").is_shared for use in PinUse] == [True, True, False, False, False, False]
    assert not erase.is_shared
