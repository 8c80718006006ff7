"""What the data centre says of the meter is asked for, judged and kept: registers, boxes, log and transactions."""

from dataclasses import dataclass
from functools import partial
from typing import Final, TypeVar

from fob_device.metering.asking import ID_SIZE, ask_authenticated, server_for
from fob_device.metering.believing import Believing
from fob_device.metering.store import KeptMeter
from fob_device.office.progress import Told
from fob_device.office.talker import Talker
from fob_protocol.metering.answers import About, History
from fob_protocol.metering.faults import UnknownBoxError
from fob_protocol.metering.mailer import with_about, with_history
from fob_protocol.metering.requests import AboutRequest, Authenticated, HistoryRequest, authenticated
from fob_protocol.metering.witness import log_head
from fob_protocol.noise.keys import Random
from fob_protocol.office.certificate import Usage
from fob_protocol.office.conversation import Speaker
from fob_protocol.office.errors import RefusedError
from fob_protocol.office.message import Message
from fob_protocol.office.refusals import Refusal
from fob_protocol.office.retries import Pauses

MessageT = TypeVar("MessageT", bound=Message)

ABOUT_WORDS: Final = "asking about the meter"
HISTORY_WORDS: Final = "asking what the meter did"
# How often the same octets are asked while the data centre says that it cannot answer now.
UNAVAILABLE_TRIES: Final = 4


@dataclass(frozen=True, slots=True)
class Following:
    """`key` is the user authentication key. Methods raise what `Talker.hold` raises, and MeterError."""

    talker: Talker
    believing: Believing
    random: Random

    @property
    def now(self) -> int:
        """By the later of the device's clock and the newest that a server signed."""
        return self.talker.known.now(self.talker.now).time

    @property
    def asked_at(self) -> int:
        """What a request says of its time: the data centre takes none that is from another time than its own."""
        return self.talker.told

    async def follow(self, meter: KeptMeter, key: bytes) -> KeptMeter:
        """Until all that the meter did is known, and who signs for it."""
        mailer = meter.mailer
        if not mailer.boxes or mailer.value_kind is None or mailer.state is None:
            _, meter = await self.about(meter, key)
        while not meter.mailer.is_followed:
            history = await self.history(meter, key, meter.mailer.next_after)
            try:
                meter = self._with_history(meter, history)
            except UnknownBoxError:
                _, meter = await self.about(meter, key)
                meter = self._with_history(meter, history)
        return meter

    async def about(self, meter: KeptMeter, key: bytes) -> tuple[About, KeptMeter]:
        """As it is told, and what is believed after it."""
        mailer = meter.mailer
        size = log_head(mailer.checkpoint).size
        request = AboutRequest(self.random(ID_SIZE), mailer.account, mailer.serial, self.asked_at, size)
        about = await self._say(key, request, About, ABOUT_WORDS)
        manufacturing = server_for(self.talker, Usage.BOXES).signing_key
        judge = partial(with_about, about=about, manufacturing=manufacturing, now=self.now)
        return about, self.believing.keep(self.believing.judged(meter, judge))

    async def history(self, meter: KeptMeter, key: bytes, after: int) -> History:
        """Unjudged."""
        mailer = meter.mailer
        request = HistoryRequest(self.random(ID_SIZE), mailer.account, mailer.serial, self.asked_at, after)
        return await self._say(key, request, History, HISTORY_WORDS)

    async def hold(self, octets: bytes, kind: type[MessageT], words: str) -> MessageT:
        """A request with its code, the same octets for as long as the centre cannot answer now."""
        try:
            return await self._held(octets, kind, words)
        except RefusedError as error:
            if error.refusal is Refusal.NO_ACCOUNT:
                self.believing.forget_sign_up()
            raise

    async def _held(self, octets: bytes, kind: type[MessageT], words: str) -> MessageT:
        pauses = Pauses(self.random)
        speaker = Speaker(server_for(self.talker, Usage.METERING), self.random)
        for _ in range(1, UNAVAILABLE_TRIES):
            try:
                return await self.talker.hold(ask_authenticated(speaker, octets, kind), Told(words), pauses)
            except RefusedError as error:
                if error.refusal is not Refusal.UNAVAILABLE:
                    raise
                await self.talker.pause(pauses.after(error.retry_after))
        return await self.talker.hold(ask_authenticated(speaker, octets, kind), Told(words), pauses)

    async def _say(self, key: bytes, request: Authenticated, kind: type[MessageT], words: str) -> MessageT:
        return await self.hold(authenticated(key, request), kind, words)

    def _with_history(self, meter: KeptMeter, history: History) -> KeptMeter:
        return self.believing.keep(self.believing.judged(meter, partial(with_history, history=history)))
