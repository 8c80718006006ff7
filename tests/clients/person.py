"""The person of a phone with a screen, who answers as a test plans: no, or not at all; else yes."""

import asyncio
from enum import Enum

from fob_device.screen.sheets import ApprovalSheet, PinSheet, Sheet
from support.live import Live
from support.screen_phone import START_TIME, Hand, ScreenPhone


class Answer(Enum):
    """NO to the use of a key, or no PIN; NONE: the question stays on the screen until it is withdrawn."""

    NO = "no"
    NONE = "none"


NO, NONE = Answer


class Person(Hand):
    """`words`: what was asked, in order, each question once. `plan`: the first answers, in order."""

    def __init__(self, live: Live, phone: ScreenPhone) -> None:
        super().__init__(phone.person, live.scratch)
        self._phone = phone
        self._plan: list[Answer] = []
        self._left_alone: set[str] = set()
        # Whoever changes the PIN chooses the old one again.
        self.new_pin = self._user_pin
        phone.hand.idle = True
        asyncio.run_coroutine_threadsafe(self.live(), phone._loop)

    def plan(self, *answers: Answer) -> None:
        """What comes first; and nothing was asked yet."""
        self.words.clear()
        self._plan[:] = answers

    def await_withdrawal(self) -> None:
        """Until nothing is asked on the screen any more, and nothing waits for a locked phone."""
        asyncio.run_coroutine_threadsafe(self._nothing_waits(), self._phone._loop).result(START_TIME)

    async def _nothing_waits(self) -> None:
        person, news = self._phone.person, asyncio.Event()
        leave = person.on_change.add(news.set)
        while person.lock.waiting or any(True for _ in person.sheets):
            await news.wait()
            news.clear()
        leave()

    async def _answer(self, sheet: Sheet) -> None:
        if sheet.id in self._left_alone:
            return
        if not self._plan:
            await super()._answer(sheet)
            return
        self.words.append(sheet.words)
        if self._plan.pop(0) is Answer.NONE:
            self._left_alone.add(sheet.id)
        elif isinstance(sheet, ApprovalSheet):
            self._phone.person.answer(sheet.id, is_yes=False)
        elif isinstance(sheet, PinSheet):
            self._phone.person.cancel(sheet.id)
