"""The question that waits for a computer to carry it (docs/protocol.md, section 4.3)."""

import asyncio
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from fob_device.office.carrier import BY_STATUS, NotCarried, NotCarriedError
from fob_device.office.progress import Told
from fob_protocol.at.answer import Event, encode_event
from fob_protocol.catalogue import EVENT_RELAY
from fob_protocol.noise.keys import Random
from fob_protocol.office.limits import ANSWER_LIMIT
from fob_protocol.relay import ANNOUNCED_LIMIT, ANNOUNCED_TIME, RELAY_TIME, RelayStatus, Waiting

# Seconds that a computer which brought an answer is kept waiting for the next question: time to check and to store.
NEXT_TIME: Final = 1.0


@dataclass(slots=True, eq=False)
class _UnderWay:
    """Computers are their static keys."""

    waiting: Waiting
    answer: asyncio.Future[bytes]
    # Whether anybody was told of it.
    is_told: bool = False
    # Who has it, and whether it asked for it: what came with an announcement is held for less time.
    holder: bytes | None = None
    is_taken: bool = False
    # All that ever had it; those of them that could not carry it, and why the last one could not.
    given: set[bytes] = field(default_factory=set)
    unable: set[bytes] = field(default_factory=set)
    why: NotCarriedError | None = None
    # Whether those that were put aside may have it too.
    is_for_all: bool = False


class Relay:
    """A Carrier. `computers` are those that have a session now; `announce` tells one of them, or all (None).

    Who brought what is no answer, or let its time pass, is put aside: it is given a question when no other computer
    can take it, or none has for ANNOUNCED_TIME, until it brings an answer.
    """

    def __init__(
        self,
        computers: Callable[[], Collection[bytes]],
        announce: Callable[[Event, bytes | None], None],
        random: Random,
    ) -> None:
        self._computers = computers
        self._announce = announce
        # Answers to an earlier life of the device mean nothing to this one.
        self._number = int.from_bytes(random(3))
        self._under_way: _UnderWay | None = None
        # Who brought what is looked at now, and who brought the last answer.
        self._bringer: bytes | None = None
        self._last: bytes | None = None
        # No more than people pair.
        self._aside: set[bytes] = set()
        self._settled = asyncio.Event()
        # Those that wait for the next question.
        self._expecting: list[bytes] = []
        self._timer: asyncio.TimerHandle | None = None

    @property
    def is_waiting(self) -> bool:
        """Whether there is a question."""
        return self._under_way is not None

    async def carry(self, service: str, question: bytes, told: Told) -> bytes:
        """Waits for a computer, without end."""
        self._number += 1
        waiting = Waiting(self._number, service, question, told.words, told.done, told.total)
        under_way = _UnderWay(waiting, asyncio.get_running_loop().create_future())
        self._under_way = under_way
        self._settled.set()
        self._tell_if_nobody_will_ask()
        try:
            return await under_way.answer
        finally:
            self.forget()

    def judged(self, *, is_answer: bool) -> None:
        """Who brought an answer is the first to have the next question."""
        if self._bringer is None:
            return
        if is_answer:
            self._aside.discard(self._bringer)
            self._last = self._bringer
        else:
            self._put_aside(self._bringer)
        self._bringer = None

    def rest(self) -> None:
        """Who brought the last answer is told that nothing follows."""
        self._settled.set()

    async def close(self) -> None:
        """Nothing is open here."""

    def forget(self) -> None:
        """No question is under way any more."""
        self._under_way = None
        self._stop_timer()

    def take(self, computer: bytes) -> Waiting | None:
        """The question, for a computer that has RELAY_TIME for it; None when another one has it, or there is none."""
        under_way = self._under_way
        if under_way is None or not self._may_take(under_way, computer):
            return None
        if under_way.holder != computer or not under_way.is_taken:
            self._give(under_way, computer, RELAY_TIME)
            under_way.is_taken = True
        return under_way.waiting

    def relayed(self, computer: bytes, number: int, status: int, answer: bytes | None, seconds: int | None) -> None:
        """What became of a question. A number that is not under way means nothing; nor does another's failure, nor
        what a computer says of a question that it never had.
        """
        under_way = self._under_way
        if under_way is None or number != under_way.waiting.number or under_way.answer.done():
            return
        if computer not in under_way.given:
            return
        if status == RelayStatus.ANSWERED and answer and len(answer) <= ANSWER_LIMIT:
            self._settled.clear()
            self._bringer = computer
            under_way.answer.set_result(answer)
        elif computer == under_way.holder:
            if status == RelayStatus.ANSWERED:
                self._put_aside(computer)
            self._fail(under_way, computer, NotCarriedError(_why(status), seconds))

    async def next_for(self, computer: bytes) -> Waiting | None:
        """What is to be relayed next, at once."""
        self._expecting.append(computer)
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(NEXT_TIME):
                    await self._settled.wait()
            return self.take(computer)
        finally:
            self._expecting.remove(computer)
            # One that came as the wait ended, and that this computer is not given, was left to it.
            self._tell_if_nobody_will_ask()

    def left(self, computer: bytes) -> None:
        """A session has ended: what its computer has, if it has no other session, is for the others."""
        under_way = self._under_way
        if under_way is None or under_way.answer.done() or computer in self._computers():
            return
        if under_way.holder == computer or (under_way.holder is None and not self._able(under_way)):
            self._pass_on(under_way)

    def _may_take(self, under_way: _UnderWay, computer: bytes) -> bool:
        if under_way.answer.done() or under_way.holder not in (None, computer):
            return False
        able = self._able(under_way)
        if computer not in able:
            return False
        return computer not in self._aside or under_way.is_for_all or able <= self._aside

    def _able(self, under_way: _UnderWay) -> set[bytes]:
        """Who is there, and has not said that it cannot."""
        return set(self._computers()) - under_way.unable

    def _tell_if_nobody_will_ask(self) -> None:
        under_way = self._under_way
        if under_way is None or under_way.is_told or under_way.holder is not None:
            return
        if not any(self._may_take(under_way, computer) for computer in self._expecting):
            self._tell(under_way)

    def _tell(self, under_way: _UnderWay) -> None:
        """Who brought the last answer has the question with its announcement, if it is short."""
        event, last = Event(EVENT_RELAY, under_way.waiting.values()), self._last
        if last is not None and last in self._able(under_way) and len(encode_event(event)) <= ANNOUNCED_LIMIT:
            self._give(under_way, last, ANNOUNCED_TIME)
            self._announce(event, last)
        else:
            self._tell_all(under_way)

    def _tell_all(self, under_way: _UnderWay) -> None:
        """Nobody has it; the first that asks is given it."""
        under_way.holder, under_way.is_taken, under_way.is_told = None, False, True
        self._stop_timer()
        if self._aside and not under_way.is_for_all:
            self._timer = asyncio.get_running_loop().call_later(ANNOUNCED_TIME, self._offer_to_all, under_way)
        self._announce(Event(EVENT_RELAY), None)

    def _offer_to_all(self, under_way: _UnderWay) -> None:
        under_way.is_for_all = True
        self._tell_all(under_way)

    def _give(self, under_way: _UnderWay, computer: bytes, seconds: float) -> None:
        """Nobody else has it for so long."""
        under_way.holder, under_way.is_told = computer, True
        under_way.given.add(computer)
        self._stop_timer()
        self._timer = asyncio.get_running_loop().call_later(seconds, self._overdue, under_way, computer)

    def _overdue(self, under_way: _UnderWay, computer: bytes) -> None:
        self._put_aside(computer)
        self._tell_all(under_way)

    def _put_aside(self, computer: bytes) -> None:
        self._aside.add(computer)
        if self._last == computer:
            self._last = None

    def _fail(self, under_way: _UnderWay, computer: bytes, why: NotCarriedError) -> None:
        self._last = None
        under_way.unable.add(computer)
        under_way.why = why
        self._pass_on(under_way)

    def _pass_on(self, under_way: _UnderWay) -> None:
        """To the others; where all that are there have failed, that is what became of it."""
        if under_way.why is None or self._able(under_way):
            self._tell_all(under_way)
        else:
            self._stop_timer()
            self._settled.clear()
            under_way.answer.set_exception(under_way.why)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _why(status: int) -> NotCarried:
    """What is no status, or says that there is an answer where there is none, is no answer."""
    return next((why for known, why in BY_STATUS.items() if known == status), NotCarried.NOT_ANSWERED)
