"""Holds conversations with the office, one at a time, and tries again what was not carried."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Final, TypeVar

from fob_device.office.carrier import Carrier, NotCarried, NotCarriedError
from fob_device.office.progress import Progress, Told
from fob_device.office.store import OfficeStore
from fob_device.office.trouble import may_be_of_other_keys
from fob_protocol.office.conversation import Conversation
from fob_protocol.office.envelope import Answer, Asked
from fob_protocol.office.errors import Fault, OfficeError, RefusedError
from fob_protocol.office.known import Known
from fob_protocol.office.retries import Pauses
from fob_protocol.office.trusted_time import TrustedTime

T = TypeVar("T")

# The same octets are carried so often before a conversation is given up, and begun again later or by a person.
TRIES: Final = 4
# Signed times are kept in steps of so many seconds: a chunk of content is not worth a write of the disk.
TIME_STEP: Final = 60
# Seconds that an office which is away has rest, however many wait for it or go on without it.
LEAST_PAUSE: Final = 5.0
# Seconds that a conversation pauses in its turn, which others wait for: one that has to for longer is given up.
TURN_PAUSE: Final = 10.0


class Talker:
    """`known` is what every conversation goes by. `clock` is the device's own, in seconds since 1970, `passed` one that
    nobody sets, in seconds.
    """

    def __init__(
        self,
        store: OfficeStore,
        carrier: Carrier,
        progress: Progress,
        clock: Callable[[], float],
        passed: Callable[[], float],
    ) -> None:
        self._store = store
        self._carrier = carrier
        self._progress = progress
        self._turn = asyncio.Lock()
        self._news = asyncio.Event()
        # Pauses of an office that is away, and the soonest end of each (the loop's clock).
        self._pauses: dict[asyncio.Timeout, float] = {}
        self._waiting = 0
        # Blocks whose questions follow one another.
        self._following = 0
        self.known: Known = store.known()
        self._time = TrustedTime(clock, passed, self.known.trust.time)

    @property
    def now(self) -> int:
        """By the device's own clock; by what servers have signed, and what has passed since, where that is behind."""
        return self._time.now

    @property
    def signed(self) -> int:
        """By what servers have signed alone."""
        return self._time.signed

    @property
    def told(self) -> int:
        """By the server that answered last: what a question says of its time, and nothing that ends."""
        return self._time.told

    @property
    def ahead(self) -> int:
        """Seconds that the device's own clock is ahead of that."""
        return self._time.ahead

    def learn(self, known: Known) -> None:
        """Kept before it counts."""
        if known != self.known:
            self._store.keep_known(known)
            self.known = known

    def wake(self) -> None:
        """A computer appeared, or a person asks: whatever pauses tries at once."""
        self._news.set()

    def hurry(self) -> None:
        """Somebody waits, or goes on without an answer: nothing pauses for longer than LEAST_PAUSE any more."""
        for pause, soonest in self._pauses.items():
            when = pause.when()
            if when is not None and not pause.expired():
                pause.reschedule(min(when, soonest))

    async def hold(self, conversation: Conversation[T], told: Told, pauses: Pauses, *, is_repeated: bool = True) -> T:
        """What a conversation comes to. `is_repeated`: also what its server may have other keys for by now is said
        again. Raises OfficeError, RefusedError, NotCarriedError.
        """
        self._waiting += 1
        if self._turn.locked():
            self.hurry()
        try:
            async with self._turn:
                self._progress.tell(told)
                return await self._drive(conversation, told, pauses, is_repeated=is_repeated)
        finally:
            self._waiting -= 1
            conversation.close()

    @property
    def is_busy(self) -> bool:
        """Whether a conversation is held, or waits for its turn."""
        return self._waiting > 0

    @contextmanager
    def following(self) -> Iterator[None]:
        """The conversations of the block follow one another: who brings an answer waits for the next question."""
        self._following += 1
        try:
            yield
        finally:
            self._following -= 1
            self.rest()

    def rest(self) -> None:
        """Nobody holds a conversation at once."""
        if not self.is_busy and not self._following:
            self._carrier.rest()

    async def pause(self, seconds: float, *, is_away: bool = True) -> None:
        """So long, or until `wake`. `is_away`: for an office that nobody reaches, so that `hurry` makes it shorter."""
        self._news.clear()
        begin = asyncio.get_running_loop().time()
        with suppress(TimeoutError):
            async with asyncio.timeout_at(begin + seconds) as pause:
                if is_away:
                    self._pauses[pause] = begin + LEAST_PAUSE
                try:
                    await self._news.wait()
                finally:
                    self._pauses.pop(pause, None)

    async def close(self) -> None:
        """The device is switched off."""
        await self._carrier.close()

    async def _drive(self, conversation: Conversation[T], told: Told, pauses: Pauses, *, is_repeated: bool) -> T:
        try:
            asked = next(conversation)
            while True:
                try:
                    answer = await self._answer(asked, told, pauses, is_repeated=is_repeated)
                except RefusedError as refused:
                    # An answer too, of which a conversation may know what comes next.
                    asked = conversation.throw(refused)
                else:
                    asked = conversation.send(answer)
        except StopIteration as end:
            result: T = end.value
            return result

    async def _answer(self, asked: Asked, told: Told, pauses: Pauses, *, is_repeated: bool) -> Answer:
        is_unheard = True
        for tried in range(1, TRIES + 1):
            try:
                answer = self._open(asked, await self._carrier.carry(asked.service, asked.sealed, told))
            except RefusedError as refused:
                self._answered(refused.time)
                raise
            except (NotCarriedError, OfficeError) as error:
                is_unheard = is_unheard and _is_no_question(error)
                if isinstance(error, NotCarriedError):
                    error.is_unheard = is_unheard
                seconds = getattr(error, "seconds", None)
                if tried == TRIES or _is_final(error) or (not is_repeated and may_be_of_other_keys(error)):
                    raise
                if pauses.least(seconds) > TURN_PAUSE:
                    raise
                self._carrier.rest()
                await self.pause(pauses.after(seconds))
            else:
                break
        self._answered(answer.time)
        return answer

    def _open(self, asked: Asked, octets: bytes) -> Answer:
        """Raises OfficeError, RefusedError."""
        is_answer = True
        try:
            return asked.open(octets)
        except OfficeError as error:
            # Whatever else is wrong, only whoever has read the question can say.
            is_answer = error.fault is not Fault.STALE_ANSWER
            raise
        finally:
            self._carrier.judged(is_answer=is_answer)

    def _answered(self, time: int) -> None:
        """By a server, which has signed the time: the office is there, for whoever paused as it was not."""
        if time:
            self._time.note(time)
        if time >= self.known.trust.time + TIME_STEP:
            self.learn(self.known.with_time(time))
        self.hurry()


def _is_final(error: Exception) -> bool:
    return isinstance(error, NotCarriedError) and error.why is NotCarried.NO_OFFICE


def _is_no_question(error: Exception) -> bool:
    """As "400 Bad Request" says it; whoever wants to be asked again later says when."""
    return isinstance(error, NotCarriedError) and error.why is NotCarried.NOT_ANSWERED and error.seconds is None
