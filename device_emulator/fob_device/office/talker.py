"""Holds conversations with the office, one at a time, and tries again what was not carried."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Final, TypeVar

from fob_device.office.carrier import Carrier, NotCarried, NotCarriedError
from fob_device.office.progress import Progress, Told
from fob_device.office.store import OfficeStore
from fob_protocol.office.conversation import Conversation
from fob_protocol.office.envelope import Answer, Asked
from fob_protocol.office.errors import OfficeError, RefusedError
from fob_protocol.office.known import Known
from fob_protocol.office.retries import Pauses

T = TypeVar("T")

# The same octets are carried so often before a conversation is given up, and begun again later or by a person.
TRIES: Final = 4
# Signed times are kept in steps of so many seconds: a chunk of content is not worth a write of the disk.
TIME_STEP: Final = 60


class Talker:
    """`known` is what every conversation goes by; `clock` the device's own, in seconds since 1970."""

    def __init__(self, store: OfficeStore, carrier: Carrier, progress: Progress, clock: Callable[[], float]) -> None:
        self._store = store
        self._carrier = carrier
        self._progress = progress
        self._clock = clock
        self._turn = asyncio.Lock()
        self._news = asyncio.Event()
        self._waiting = 0
        self.known: Known = store.known()

    @property
    def now(self) -> int:
        """By the device's own clock."""
        return int(self._clock())

    def learn(self, known: Known) -> None:
        """Kept before it counts."""
        if known != self.known:
            self._store.keep_known(known)
            self.known = known

    def wake(self) -> None:
        """A computer appeared, or a person asks: whatever pauses tries at once."""
        self._news.set()

    async def hold(self, conversation: Conversation[T], told: Told, pauses: Pauses) -> T:
        """What a conversation comes to. Raises OfficeError, RefusedError, NotCarriedError."""
        self._waiting += 1
        try:
            async with self._turn:
                self._progress.tell(told)
                return await self._drive(conversation, told, pauses)
        finally:
            self._waiting -= 1
            conversation.close()

    @property
    def is_busy(self) -> bool:
        """Whether a conversation is held, or waits for its turn."""
        return self._waiting > 0

    def rest(self) -> None:
        """Nobody holds a conversation at once."""
        if not self.is_busy:
            self._carrier.rest()

    async def pause(self, seconds: float) -> None:
        """So long, or until `wake`."""
        self._news.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._news.wait()

    async def close(self) -> None:
        """The device is switched off."""
        await self._carrier.close()

    async def _drive(self, conversation: Conversation[T], told: Told, pauses: Pauses) -> T:
        try:
            asked = next(conversation)
            while True:
                try:
                    answer = await self._answer(asked, told, pauses)
                except RefusedError as refused:
                    # An answer too, of which a conversation may know what comes next.
                    asked = conversation.throw(refused)
                else:
                    asked = conversation.send(answer)
        except StopIteration as end:
            result: T = end.value
            return result

    async def _answer(self, asked: Asked, told: Told, pauses: Pauses) -> Answer:
        is_unheard = True
        for tried in range(1, TRIES + 1):
            try:
                answer = asked.open(await self._carrier.carry(asked.service, asked.sealed, told))
            except (NotCarriedError, OfficeError) as error:
                is_unheard = is_unheard and _is_no_question(error)
                if isinstance(error, NotCarriedError):
                    error.is_unheard = is_unheard
                if tried == TRIES or _is_final(error):
                    raise
                self._carrier.rest()
                await self.pause(pauses.after(getattr(error, "seconds", None)))
            else:
                break
        self._note_time(answer.time)
        return answer

    def _note_time(self, time: int) -> None:
        if time >= self.known.trust.time + TIME_STEP:
            self.learn(self.known.with_time(time))


def _is_final(error: Exception) -> bool:
    return isinstance(error, NotCarriedError) and error.why is NotCarried.NO_OFFICE


def _is_no_question(error: Exception) -> bool:
    """As "400 Bad Request" says it; whoever wants to be asked again later says when."""
    return isinstance(error, NotCarriedError) and error.why is NotCarried.NOT_ANSWERED and error.seconds is None
