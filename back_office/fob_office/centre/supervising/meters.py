"""Looks at meter boxes again and again: whether they answer, and which view they hold; gives them what they lack."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from fob_office.centre.boxes.views import View, read_view
from fob_office.centre.bus.asking import Link
from fob_office.centre.bus.errors import AwayError, BusRefusedError
from fob_office.centre.commands.meter import HeldView, TakeView
from fob_office.centre.supervising.history import History
from fob_office.centre.supervising.limits import FAILOVER_TIME, LOOK_PAUSE, LOOK_TIME, START_TIME
from fob_office.centre.supervising.policy import BoxState
from fob_office.centre.words import Word
from fob_protocol.office.errors import OfficeError

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Seen:
    """What a box said last: the number of its view (0: none), and where it is a second that knows all.

    `was_put_back`: its folder, as a second of its own has found.
    """

    view: int
    complete: frozenset[int]
    was_put_back: bool = False


class MeterWatch:
    """Of one meter box. `changed` is called when something is known that was not."""

    def __init__(self, link: Link, history: History, manufacturing: bytes, changed: Callable[[], None]) -> None:
        self.name = link.name
        self.seen: Seen | None = None
        self.is_tampered = False
        self._link = link
        self._history = history
        self._manufacturing = manufacturing
        self._changed = changed
        self._loop = asyncio.get_running_loop()
        self._began = self._loop.time()
        # When the first look of those that were not answered was.
        self._silent_since: float | None = None
        self._silences = 0
        self._wanted = asyncio.Event()
        # The view that it held last, and its number.
        self._known = (b"", 0)

    def wake(self) -> None:
        """There is a new view."""
        self._wanted.set()

    def state(self, newest: View) -> BoxState:
        """As the policy wants it."""
        seen = self.seen
        complete = seen.complete if seen is not None and seen.view == newest.number else frozenset()
        return BoxState(not self._is_gone(), complete)

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            self._wanted.clear()
            began = self._loop.time()
            try:
                await self._look()
                self._silent_since, self._silences = None, 0
            except BusRefusedError as refused:
                self._refused(refused, began)
            except AwayError:
                self._missed(began)
            except OSError as error:
                log.error("a view cannot be written", why=error.strerror)
            try:
                await asyncio.wait_for(self._wanted.wait(), LOOK_PAUSE)
            except TimeoutError:
                continue

    async def _look(self) -> None:
        """Raises AwayError, BusRefusedError."""
        held = await self._link.ask(HeldView(), LOOK_TIME)
        number, complete = self._number(held.view), frozenset(held.complete)
        for signed in self._history.after(number):
            await self._link.ask(TakeView(signed), LOOK_TIME)
            number = self._number(signed)
            # What it said was of another view.
            complete = frozenset()
        seen = Seen(number, complete, held.was_put_back)
        if seen != self.seen:
            self.seen = seen
            self._changed()

    def _number(self, signed: bytes | None) -> int:
        """A view that is newer than all that are known here is one too."""
        if signed is None:
            return 0
        if signed == self._known[0]:
            return self._known[1]
        try:
            number = read_view(self._manufacturing, signed).number
        except OfficeError:
            return 0
        newest = self._history.newest
        if newest is not None and number > newest.number:
            self._history.add(signed)
        self._known = signed, number
        return number

    def _refused(self, refused: BusRefusedError, began: float) -> None:
        if refused.word == Word.OLDER_VIEW:
            return
        if refused.word != Word.TAMPERED:
            # What does not say how it is is of no use.
            log.warning("a meter box refuses", name=self.name, word=refused.word, why=refused.why)
            self._missed(began)
        elif not self.is_tampered:
            log.critical("a meter box was tampered with", name=self.name)
            self.is_tampered = True
            self._changed()

    def _missed(self, began: float) -> None:
        """A look without an answer."""
        self._silences += 1
        if self._silent_since is None:
            self._silent_since = began
        self._changed()

    def _is_gone(self) -> bool:
        if self.is_tampered:
            return True
        if self.seen is None:
            return self._loop.time() - self._began > START_TIME
        return (
            self._silent_since is not None
            and self._silences > 1
            and self._loop.time() - self._silent_since >= FAILOVER_TIME
        )
