"""The person at the phone's screen: answers questions, types PINs, opens pairing."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Final, TypeVar

from fob_device.approval.asking import Asking, loop_time
from fob_device.approval.questions import YES, DecidedBy, Decision, Prompt, Question
from fob_device.approval.wanted import wanted
from fob_device.listeners import Listener, Listeners
from fob_device.memory import Memory
from fob_device.pad.entry import PinEntry, PinUse
from fob_device.pad.password import PasswordEntry, refused_words
from fob_device.pad.pin_pad import Check
from fob_device.phone import Phone
from fob_device.screen.errors import PhoneLockedError
from fob_device.screen.lock import Lock
from fob_device.screen.pin_desk import PinDesk
from fob_device.screen.sheets import ApprovalSheet, PairingSheet, PasswordSheet, PinSheet, Sheet, Sheets
from fob_device.screen.typed import Typed
from fob_device.settings import ONCE_MAX, Ask, KeySetting
from fob_protocol.history.entry import Entry, Kind
from fob_protocol.limits import PAIRING_TIME
from fob_protocol.pkcs11.constants import Cku

T = TypeVar("T")

# Seconds that pairing stays open: time to find the computer and type a command.
PAIRING_OPEN: Final = 300.0

# PINs typed for keys that were then not used: more are forgotten, and the keys ask again.
TYPED_LIMIT: Final = 64

# What compares a code has no name yet.
_NEW_COMPUTER: Final = "a new computer"

Random = Callable[[int], bytes]
Clock = Callable[[], float]


class ScreenPerson:
    """A Decider with a PIN pad. Whoever shows it reads `lock` and `sheets`, and hears of every change by `on_change`.

    Taps on a locked phone raise PhoneLockedError, on a sheet that is gone SheetGoneError; then nothing happened.
    """

    has_pin_pad = True

    def __init__(self, memory: Memory, random: Random, clock: Clock = loop_time) -> None:
        """`random` gives as many random octets as asked; `clock` is the loop's, in seconds."""
        self.on_change = Listeners()
        self.sheets = Sheets(random, clock, self.on_change)
        self.lock = Lock(
            self._open_master,
            lambda: memory.token.tries_left(Cku.USER),
            clock,
            self._locked_or_not,
            memory.settings.auto_lock(),
            self._hidden,
            memory.pairings.name_now,
        )
        self._memory = memory
        self._clock = clock
        self._pins = PinDesk(self.sheets, memory.token.tries_left)
        self._pairing_timer: asyncio.TimerHandle | None = None
        # What PINs were typed for, and not yet done: a key that asks for its PIN at every use asks nothing more.
        self._typed_for: list[PinEntry] = []
        self._leave_phone: Listener = lambda: None

    def belong_to(self, phone: Phone) -> None:
        """Hear of what happens to the phone, and tell it what happens at its screen."""
        phone.on_paired.append(self.paired)
        self._leave_phone = self.on_change.add(phone.announce_pins)

    def leave(self) -> None:
        """The phone is switched off: nothing that was unlocked outlives it."""
        self._leave_phone()
        self.lock.lock()

    # What a tap does.

    async def unlock(self, pin: bytes) -> Typed:
        """The user's PIN on the lock's pad."""
        return await self.lock.unlock(pin)

    def answer(self, sheet_id: str, is_yes: bool, remember_seconds: int = 0) -> None:
        """Yes or no to an approval; a yes may be remembered for 0 to ONCE_MAX seconds (ValueError)."""
        if not 0 <= remember_seconds <= ONCE_MAX:
            raise ValueError(f"a yes is remembered for 0 to {ONCE_MAX} seconds")
        self._tap()
        sheet = self.sheets.find(sheet_id, ApprovalSheet)
        self.sheets.take_down(sheet)
        if not sheet.answered.done():
            sheet.answered.set_result(Decision(is_yes, remember_seconds if is_yes else 0))

    async def type_pin(self, sheet_id: str, pin: bytes) -> Typed:
        """A PIN on a sheet that asks for one."""
        self._tap_on_pad(sheet_id)
        return await self._pins.type(sheet_id, pin)

    def cancel(self, sheet_id: str) -> None:
        """No PIN: the person gives up."""
        self._tap_on_pad(sheet_id)
        self._pins.cancel(sheet_id)

    def type_password_on(self, sheet_id: str, password: str, again: str) -> None:
        """A password on a sheet that asks for one; `again` is looked at where it is chosen."""
        self._tap()
        sheet = self.sheets.find(sheet_id, PasswordSheet)
        sheet.said = refused_words(sheet.entry, password, again)
        if not sheet.said:
            self._end_password(sheet, password)
        self.on_change()

    def cancel_password(self, sheet_id: str) -> None:
        """No password: the person gives up."""
        self._tap()
        self._end_password(self.sheets.find(sheet_id, PasswordSheet), None)

    def compare_answer(self, sheet_id: str, is_equal: bool) -> None:
        """Whether the computer shows the same code."""
        self._tap()
        sheet = self.sheets.find(sheet_id, PairingSheet)
        self.sheets.take_down(sheet)
        if not sheet.answered.done():
            sheet.answered.set_result(is_equal)

    def open_pairing(self) -> None:
        """New computers may pair for PAIRING_OPEN seconds, until one has, or until the phone is locked."""
        self._tap()
        self._stop_pairing()
        self._pairing_timer = asyncio.get_running_loop().call_later(PAIRING_OPEN, self.close_pairing)
        self.on_change()

    def close_pairing(self) -> None:
        """No more new computers; one that is being compared goes on."""
        self._stop_pairing()
        self.on_change()

    def set_auto_lock(self, seconds: int | None) -> None:
        """One of AUTO_LOCK_CHOICES (ValueError), None: never. Raises CkrError, and then nothing has changed."""
        self._tap()
        self._memory.settings.set_auto_lock(seconds)
        self.lock.set_auto_lock(seconds)
        self.on_change()

    # What the screen shows.

    @property
    def visible_sheets(self) -> list[Sheet]:
        """Oldest first; of a locked phone only those that ask for a PIN of their own."""
        return [sheet for sheet in self.sheets if not self.lock.is_locked or _is_for_locked_phone(sheet)]

    @property
    def pairing_seconds_left(self) -> float:
        """0 when pairing is closed."""
        return 0.0 if self._pairing_timer is None else max(self._pairing_timer.when() - loop_time(), 0.0)

    # What the phone asks: Decider and PinPad.

    @property
    def pairing_open(self) -> bool:
        """While the person holds it open."""
        return self._pairing_timer is not None

    def paired(self, pc_name: str) -> None:
        """A computer was stored: the person wanted one."""
        self.close_pairing()

    def is_silent(self, question: Question) -> bool:
        """True for a key that never asks, but for forwarded requests, and for what a PIN was just typed for."""
        if self._typed_entry(question) is not None:
            return True
        return not question.caller.is_forwarded and self._setting(question).ask is Ask.NEVER

    async def decide(self, prompt: Prompt) -> Decision:
        """A tap; by the key's setting a plain yes may be remembered, or none be needed."""
        typed = self._typed_entry(prompt.question)
        if typed is not None:
            self._typed_for.remove(typed)
            return YES
        if self.is_silent(prompt.question):
            return Decision(True, by=DecidedBy.SETTING)
        sheet = ApprovalSheet(self.sheets.new_id(), prompt.until, prompt, asyncio.get_running_loop().create_future())
        prompt.askers.changed = lambda: self._prompt_changed(sheet)
        self.sheets.put_up(sheet)
        try:
            decision = await sheet.answered
        finally:
            self.sheets.take_down(sheet)
        if decision.is_yes and not decision.remember:
            return replace(decision, remember=self._setting(prompt.question).seconds)
        return decision

    async def compare(self, code: str) -> bool:
        """The person's tap."""
        until = self._clock() + PAIRING_TIME
        sheet = PairingSheet(self.sheets.new_id(), until, code, asyncio.get_running_loop().create_future())
        self.sheets.put_up(sheet)
        try:
            return await sheet.answered
        finally:
            self.sheets.take_down(sheet)

    async def unlocked(self, asking: Asking) -> None:
        """When the person has unlocked the phone."""
        await self.lock.opened(asking)

    async def log_in(self, entry: PinEntry, check: Check[bytes], asking: Asking) -> bytes | None:
        """The unlocked phone's key: its person typed the PIN to be here."""
        # What needs the key for another deed says so in place of the entry's words.
        return await self.lock.opened(asking, is_login=asking.what == entry.what())

    async def enter(self, entry: PinEntry, check: Check[T], asking: Asking) -> T | None:
        """On a sheet."""
        result = await self._pins.enter(entry, check, asking)
        if result is not None and entry.use is PinUse.KEY:
            # What is withdrawn meanwhile approves nothing.
            await wanted(self, asking)
            self._typed_for = [*self._typed_for[-TYPED_LIMIT + 1 :], entry]
        return result

    async def choose(self, entry: PinEntry, asking: Asking) -> bytes | None:
        """On a sheet, twice."""
        return await self._pins.choose(entry, asking)

    async def type_password(self, entry: PasswordEntry, asking: Asking) -> str | None:
        """On a sheet."""
        typed: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()
        sheet = PasswordSheet(self.sheets.new_id(), asking.until, entry, typed)
        sheet.askers.changed = self.on_change
        sheet.askers.join(asking.asker)
        self.sheets.put_up(sheet)
        asking.say(sheet.words)
        try:
            return await typed
        finally:
            sheet.askers.leave(asking.asker)
            self.sheets.take_down(sheet)

    def forget_pin(self) -> None:
        """The phone locks itself."""
        self.lock.lock()

    def _typed_entry(self, question: Question) -> PinEntry | None:
        of_key = (entry for entry in self._typed_for if (entry.key, entry.pc_key) == (question.key, question.pc_key))
        return next((entry for entry in of_key if entry.covers(question.caller)), None)

    def _setting(self, question: Question) -> KeySetting:
        return self._memory.settings.of_key(question.key)

    def _hidden(self) -> list[str]:
        """Who asks on the sheets that the lock hides, once for each request."""
        shown = {sheet.id for sheet in self.visible_sheets}
        hidden = [sheet.named(self._memory.pairings.name_now) for sheet in self.sheets if sheet.id not in shown]
        return [name for sheet in hidden for name in sheet.count * [_name_on(sheet)]]

    def _prompt_changed(self, sheet: ApprovalSheet) -> None:
        sheet.until = sheet.prompt.until
        self.on_change()

    def _end_password(self, sheet: PasswordSheet, password: str | None) -> None:
        self.sheets.take_down(sheet)
        if not sheet.typed.done():
            sheet.typed.set_result(password)

    def _tap(self) -> None:
        """Raises PhoneLockedError."""
        if self.lock.is_locked:
            raise PhoneLockedError
        self.lock.touch()

    def _tap_on_pad(self, sheet_id: str) -> None:
        """Raises SheetGoneError, PhoneLockedError."""
        if not (self.lock.is_locked and _is_for_locked_phone(self.sheets.find(sheet_id, PinSheet))):
            self._tap()

    def _locked_or_not(self) -> None:
        if self.lock.is_locked:
            self._stop_pairing()
            self._typed_for.clear()
        self.on_change()

    def _stop_pairing(self) -> None:
        if self._pairing_timer is not None:
            self._pairing_timer.cancel()
            self._pairing_timer = None

    async def _open_master(self, pin: bytes) -> bytes:
        master_key = await self._memory.slowly(lambda: self._memory.token.open_master(Cku.USER, pin))
        self._memory.history.note(Entry(Kind.UNLOCKED))
        return master_key


def _name_on(sheet: Sheet) -> str:
    """The computer that asks."""
    if isinstance(sheet, ApprovalSheet):
        return sheet.question.pc_name
    return sheet.entry.pc_name if isinstance(sheet, PinSheet | PasswordSheet) else _NEW_COMPUTER


def _is_for_locked_phone(sheet: Sheet) -> bool:
    """A sheet whose PIN shows more than the phone's own unlocking would, or as much."""
    return isinstance(sheet, PinSheet) and sheet.entry.needs_no_unlocking
