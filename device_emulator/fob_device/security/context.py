"""What a handler works with."""

import asyncio
import math
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from functools import partial

from fob_device.approval.askers import Asker
from fob_device.approval.asking import Asking, loop_time
from fob_device.approval.desk import ApprovalDesk
from fob_device.approval.questions import Decider, Decision, Question
from fob_device.approval.words import WORDS_SIZE, fitting
from fob_device.history.history import History
from fob_device.history.journal import NO_JOURNAL, Journal
from fob_device.slowly import Slowly
from fob_device.token.token import Token, TokenSession
from fob_protocol.at.answer import Event
from fob_protocol.catalogue import EVENT_ASK, EVENT_TOKEN
from fob_protocol.limits import QUESTION_TIME
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.errors import CkrError
from fob_protocol.pkcs11.flags import TokenFlag


@dataclass(frozen=True, slots=True)
class Context:
    """One request: the token, the session's login state, the person, and where to announce things.

    `integrity_value` is that of the device's own program, as last validated (V19).
    """

    token: Token
    session: TokenSession
    decider: Decider
    desk: ApprovalDesk
    pc_name: str
    announce: Callable[[Event], None]
    unpair: Callable[[], None]
    pins_changed: Callable[[], None]
    slowly: Slowly
    number: int
    asker: Asker = field(default_factory=Asker)
    pc_key: bytes = b""
    history: History | None = None
    integrity_value: bytes = b""

    @property
    def journal(self) -> Journal:
        """Where to write down what is done."""
        return self.history or NO_JOURNAL

    def flags(self) -> TokenFlag:
        """The token's flags, with the PIN pad if the device has one."""
        flags = self.token.info().flags
        return flags | TokenFlag.PROTECTED_AUTHENTICATION_PATH if self.decider.has_pin_pad else flags

    def announce_flags(self) -> None:
        """Tell the PC of changed PIN counters."""
        self.announce(Event(EVENT_TOKEN, (int(self.flags()),)))

    @contextmanager
    def checking_pin(self) -> Iterator[None]:
        """The block looks at a PIN: this PC hears what went wrong, all others what became of counters and logins."""
        try:
            yield
        except (CkrError, asyncio.CancelledError):
            self.announce_flags()
            raise
        finally:
            self.pins_changed()

    @asynccontextmanager
    async def asking(self, what: str, seconds: float = QUESTION_TIME) -> AsyncIterator[Asking]:
        """The block waits for the person, `what` for in words. Raises CkrError FUNCTION_CANCELED for silence."""
        until = loop_time() + seconds
        try:
            async with asyncio.timeout_at(until):
                say = partial(self._say, until=until)
                yield Asking(self.pc_name, what, until, say, self.asker, self.pc_key)
        except TimeoutError:
            raise CkrError(Ckr.FUNCTION_CANCELED, "nobody answered on the device") from None

    async def decide(self, question: Question) -> Decision:
        """The person's answer; a yes when the computer is there to have it. Raises CkrError FUNCTION_CANCELED."""
        async with self.asking(question.words()) as asking:
            await self.decider.unlocked(asking)
            return await self.desk.ask(question, self.decider, asking)

    def _say(self, words: str, until: float) -> None:
        """Tell the PC that this request waits for the person."""
        seconds = max(math.ceil(until - loop_time()), 0)
        self.announce(Event(EVENT_ASK, (self.number, fitting(words, WORDS_SIZE), seconds)))
