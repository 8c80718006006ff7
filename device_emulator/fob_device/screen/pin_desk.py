"""Sheets that ask for PINs: what is typed on each, and who waits for it."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeVar, cast

from fob_device.approval.asking import Asking
from fob_device.pad.entry import PinEntry
from fob_device.pad.pin_pad import Check
from fob_device.pad.tries import blocked_words
from fob_device.screen.sheets import PinSheet, Sheets, Stage
from fob_device.screen.typed import BUSY, DONE, UNFIT, Outcome, Typed, judged
from fob_device.token.pins import check_pin_size
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.constants import Cku
from fob_protocol.pkcs11.errors import CkrError

T = TypeVar("T")

Take = Callable[["Entering", bytes], Awaitable[Typed]]


@dataclass(slots=True, eq=False)
class Entering:
    """A PIN sheet and what all who wait for it will get: None when the person gave up."""

    sheet: PinSheet
    take: Take = field(repr=False)
    result: "asyncio.Future[object]" = field(repr=False)
    first: bytes = field(default=b"", repr=False)

    def finish(self, result: object) -> None:
        """Answer all who wait; nobody may be there any more."""
        if not self.result.done():
            self.result.set_result(result)

    def refuse(self, error: CkrError) -> None:
        """No PIN will help."""
        if not self.result.done():
            self.result.set_exception(error)


class PinDesk:
    """Where PINs are due. `tries_left` by user, None where no PIN is set."""

    def __init__(self, sheets: Sheets, tries_left: Callable[[Cku], int | None]) -> None:
        self._sheets = sheets
        self._tries_left = tries_left
        self._entering: dict[str, Entering] = {}

    async def enter(self, entry: PinEntry, check: Check[T], asking: Asking) -> T | None:
        """As PinPad has it; requests that ask the same share one sheet, where the entry allows it."""
        self._require_tries(entry.user)

        async def take(entering: Entering, pin: bytes) -> Typed:
            return await self._check(entering, check, pin)

        return cast("T | None", await self._await(self._join(entry, asking) or self._open(entry, take, asking), asking))

    async def choose(self, entry: PinEntry, asking: Asking) -> bytes | None:
        """As PinPad has it."""
        entering = self._open(entry, _compare, asking)
        entering.sheet.stage = Stage.NEW
        return cast("bytes | None", await self._await(entering, asking))

    async def type(self, sheet_id: str, pin: bytes) -> Typed:
        """The person typed. One PIN is looked at at a time: a tap too many costs no try. Raises SheetGoneError."""
        sheet = self._sheets.find(sheet_id, PinSheet)
        if sheet.is_checking:
            return BUSY
        entering = self._entering[sheet_id]
        sheet.is_checking = True
        self._sheets.changed()
        try:
            typed = await entering.take(entering, pin)
        finally:
            sheet.is_checking = False
            self._sheets.changed()
        sheet.said = typed.words
        if not typed.may_go_on:
            self._sheets.take_down(sheet)
        return typed

    def cancel(self, sheet_id: str) -> None:
        """The person gives up. Raises SheetGoneError."""
        entering = self._entering[self._sheets.find(sheet_id, PinSheet).id]
        self._sheets.take_down(entering.sheet)
        entering.finish(None)

    def _require_tries(self, user: Cku) -> None:
        """Nobody is asked in vain. Raises CkrError."""
        tries_left = self._tries_left(user)
        if tries_left is None:
            raise CkrError(Ckr.USER_PIN_NOT_INITIALIZED)
        if tries_left == 0:
            raise _blocked(user)

    def _open(self, entry: PinEntry, take: Take, asking: Asking) -> Entering:
        sheet = PinSheet(self._sheets.new_id(), asking.until, entry)
        sheet.askers.changed = self._sheets.changed
        entering = Entering(sheet, take, asyncio.get_running_loop().create_future())
        self._entering[sheet.id] = entering
        self._sheets.put_up(sheet)
        return entering

    def _join(self, entry: PinEntry, asking: Asking) -> Entering | None:
        if not entry.is_shared:
            return None
        same = (each for each in self._entering.values() if each.sheet.entry == entry and not each.result.done())
        entering = next(same, None)
        if entering is not None:
            entering.sheet.until = max(entering.sheet.until, asking.until)
        return entering

    async def _await(self, entering: Entering, asking: Asking) -> object:
        sheet = entering.sheet
        sheet.askers.join(asking.asker)
        asking.say(sheet.words)
        try:
            return await asyncio.shield(entering.result)
        finally:
            sheet.askers.leave(asking.asker)
            if len(sheet.askers) == 0:
                entering.result.cancel()
                del self._entering[sheet.id]
                self._sheets.take_down(sheet)

    async def _check(self, entering: Entering, check: Check[T], pin: bytes) -> Typed:
        user = entering.sheet.entry.user
        try:
            entering.finish(await check(pin))
        except CkrError as error:
            typed = judged(error, user, self._tries_left(user) or 0)
            if not typed.may_go_on:
                entering.refuse(_blocked(user) if error.ckr is Ckr.PIN_INCORRECT else error)
            return typed
        return DONE


def _blocked(user: Cku) -> CkrError:
    return CkrError(Ckr.PIN_LOCKED, blocked_words(user))


async def _compare(entering: Entering, pin: bytes) -> Typed:
    """A new PIN is typed twice."""
    sheet = entering.sheet
    if sheet.stage is Stage.NEW:
        try:
            check_pin_size(pin)
        except CkrError:
            return UNFIT
        entering.first, sheet.stage = pin, Stage.AGAIN
        return Typed(Outcome.NEXT, "Type it once more.")
    first, entering.first, sheet.stage = entering.first, b"", Stage.NEW
    if first != pin:
        return Typed(Outcome.UNFIT, "The two PINs were not equal. Choose one again.")
    entering.finish(pin)
    return DONE
