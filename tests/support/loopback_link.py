"""A link without a line: each request goes as text into a real security manager, and everything is counted."""

import asyncio
import itertools
from collections import Counter
from collections.abc import Callable

from fob_device.approval.questions import Decider
from fob_device.security.manager import SecurityManager
from fob_device.token.token import Token
from fob_protocol.at.answer import Answer, Event, decode_answer, encode_answer
from fob_protocol.at.command import Command, decode_command, encode_command
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.errors import CkrError
from fob_protocol.pkcs11.flags import TokenFlag
from fob_protocol.session.handshake import Greeting


class LoopbackLink:
    """A Link. `crossed` counts the round trips by command, `octets` both directions' texts."""

    def __init__(self, token: Token, decider: Decider) -> None:
        self.token = token
        self.decider = decider
        self.crossed: Counter[str] = Counter()
        self.octets = 0
        self.replies: dict[str, Answer] = {}
        self.greeting: Greeting | None = None
        self._manager: SecurityManager | None = None
        self._sessions = itertools.count(1)
        self._on_event: list[Callable[[Event], None]] = []
        self._on_session: list[Callable[[Greeting | None], None]] = []

    @property
    def round_trips(self) -> int:
        """All of them."""
        return self.crossed.total()

    def connect(self) -> None:
        """A new session begins; an older one ends."""
        if self._manager is not None:
            self._manager.close()
        self._manager = SecurityManager(self.token, self.decider, pc_name="pc", announce=self.announce)
        flags = self.token.info().flags
        if self.decider.has_pin_pad:
            flags |= TokenFlag.PROTECTED_AUTHENTICATION_PATH
        number = next(self._sessions)
        self.greeting = Greeting(b"\1" * 8, number.to_bytes(8), self.token.generation, int(flags))
        self._tell()

    def disconnect(self) -> None:
        """The device goes away."""
        if self._manager is not None:
            self._manager.close()
        self._manager = self.greeting = None
        self._tell()

    def announce(self, event: Event) -> None:
        """An unsolicited result code of the device."""
        for listener in self._on_event:
            listener(event)

    async def present(self) -> Greeting:
        """This link never comes back by itself."""
        if self.greeting is None:
            raise CkrError(Ckr.DEVICE_REMOVED)
        return self.greeting

    async def request(self, command: Command, *, timeout: float) -> Answer:  # noqa: ASYNC109 - as the interface has it
        """One round trip. An answer in `replies` stands in for the device's."""
        manager = self._manager
        if manager is None:
            raise CkrError(Ckr.DEVICE_REMOVED)
        text = encode_command(command)
        self.crossed[command.name] += 1
        try:
            async with asyncio.timeout(timeout):
                scripted = self.replies.get(command.name)
                answer = scripted if scripted is not None else await manager.execute(decode_command(text))
        except TimeoutError:
            raise CkrError(Ckr.FUNCTION_CANCELED) from None
        if self._manager is not manager:
            raise CkrError(Ckr.DEVICE_ERROR, "the link was lost")
        octets = encode_answer(answer)
        self.octets += len(text) + len(octets)
        return decode_answer(octets)

    def subscribe(self, listener: Callable[[Event], None]) -> None:
        """As the interface has it."""
        self._on_event.append(listener)

    def on_session(self, listener: Callable[[Greeting | None], None]) -> None:
        """As the interface has it."""
        self._on_session.append(listener)

    def _tell(self) -> None:
        for listener in self._on_session:
            listener(self.greeting)
