"""The question that waits for a computer to carry it (docs/protocol.md, section 4.3)."""

import asyncio
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Final

from fob_device.approval.asking import loop_time
from fob_device.office.carrier import BY_STATUS, NotCarriedError
from fob_device.office.progress import Told
from fob_protocol.noise.keys import Random
from fob_protocol.office.limits import ANSWER_LIMIT
from fob_protocol.relay import RELAY_TIME, RelayStatus, Waiting

# Seconds that a computer which brought an answer is kept waiting for the next question: time to check and to store.
NEXT_TIME: Final = 1.0


@dataclass(slots=True, eq=False)
class _UnderWay:
    waiting: Waiting
    answer: asyncio.Future[bytes]
    # The computer (its static key) that has it, and until when (the loop's clock).
    holder: bytes | None = None
    until: float = 0.0
    # Those that could not carry it.
    unable: set[bytes] = field(default_factory=set)


class Relay:
    """A Carrier. `computers` are those that have a session now; `announce` tells them all that a question waits."""

    def __init__(
        self, computers: Callable[[], Collection[bytes]], announce: Callable[[], None], random: Random
    ) -> None:
        self._computers = computers
        self._announce = announce
        # Answers to an earlier life of the device mean nothing to this one.
        self._number = int.from_bytes(random(3))
        self._under_way: _UnderWay | None = None
        self._settled = asyncio.Event()
        self._expecting = 0
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
        if not self._expecting:
            self._announce()
        try:
            return await under_way.answer
        finally:
            self._under_way = None
            self._stop_timer()

    def rest(self) -> None:
        """Who brought the last answer is told that nothing follows."""
        self._settled.set()

    async def close(self) -> None:
        """Nothing is open here."""

    def take(self, computer: bytes) -> Waiting | None:
        """The question, for a computer that has RELAY_TIME for it; None when another one has it, or there is none."""
        under_way = self._under_way
        if under_way is None or under_way.answer.done():
            return None
        if computer in under_way.unable or self._is_held(under_way, computer):
            return None
        under_way.holder, under_way.until = computer, loop_time() + RELAY_TIME
        self._stop_timer()
        self._timer = asyncio.get_running_loop().call_later(RELAY_TIME, self._announce)
        return under_way.waiting

    def relayed(self, computer: bytes, number: int, status: int, answer: bytes | None, seconds: int | None) -> None:
        """What became of a question. A number that is not under way means nothing; nor does another's failure."""
        under_way = self._under_way
        if under_way is None or number != under_way.waiting.number or under_way.answer.done():
            return
        if status == RelayStatus.ANSWERED and answer and len(answer) <= ANSWER_LIMIT:
            self._settled.clear()
            under_way.answer.set_result(answer)
        elif computer == under_way.holder:
            self._fail(under_way, computer, status, seconds)

    async def next_for(self, computer: bytes) -> Waiting | None:
        """What is to be relayed next, at once."""
        self._expecting += 1
        try:
            async with asyncio.timeout(NEXT_TIME):
                await self._settled.wait()
        except TimeoutError:
            return None
        finally:
            self._expecting -= 1
        return self.take(computer)

    def _is_held(self, under_way: _UnderWay, computer: bytes) -> bool:
        """By another one, which is still there and has time."""
        holder = under_way.holder
        return holder not in (None, computer) and holder in self._computers() and loop_time() < under_way.until

    def _fail(self, under_way: _UnderWay, computer: bytes, status: int, seconds: int | None) -> None:
        under_way.holder = None
        under_way.unable.add(computer)
        self._stop_timer()
        if any(other not in under_way.unable for other in self._computers()):
            self._announce()
            return
        why = BY_STATUS.get(RelayStatus(status) if status in set(RelayStatus) else RelayStatus.NOT_ANSWERED)
        self._settled.clear()
        under_way.answer.set_exception(NotCarriedError(why or BY_STATUS[RelayStatus.NOT_ANSWERED], seconds))

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
