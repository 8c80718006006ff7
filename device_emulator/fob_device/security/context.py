"""What a handler works with."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from fob_device.approval.desk import ApprovalDesk
from fob_device.approval.questions import Decider, Prompt, Question
from fob_device.approval.words import fitting
from fob_device.slowly import Slowly
from fob_device.token.token import Token, TokenSession
from fob_protocol.at.answer import Event
from fob_protocol.catalogue import EVENT_ASK, EVENT_TOKEN
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.errors import CkrError
from fob_protocol.pkcs11.flags import TokenFlag

# How long a question stays on the screen; the PC's own deadline withdraws it earlier.
QUESTION_TIME = 60

# Octets of a question's words in an event, which goes in one frame (FRAME_LIMIT).
WORDS_SIZE = 512


@dataclass(frozen=True, slots=True)
class Context:
    """One request: the token, the session's login state, the person, and where to announce things."""

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

    def announce_prompt(self, prompt: Prompt) -> None:
        """Tell the PC that this request waits for the person."""
        self.announce(Event(EVENT_ASK, (self.number, fitting(prompt.words(), WORDS_SIZE), QUESTION_TIME)))

    async def approve(self, question: Question) -> None:
        """Ask the person. Raises CkrError FUNCTION_REJECTED for a no and for silence."""
        if self.desk.grants.cover(question):
            return
        try:
            async with asyncio.timeout(QUESTION_TIME):
                allowed = await self.desk.ask(question, self.decider, self.announce_prompt)
        except TimeoutError:
            raise CkrError(Ckr.FUNCTION_CANCELED, "nobody answered on the device") from None
        if not allowed:
            raise CkrError(Ckr.FUNCTION_REJECTED, f"refused on the device: {question.words()}")
