"""The device's end of docs/protocol.md, section 4.3, without an office behind it: what a PC's tests talk to."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from fob_daemon.device.away import AwayError
from fob_daemon.device.back_office import BackOffice
from fob_daemon.device.timeouts import Timeouts
from fob_daemon.link.interface import Link
from fob_daemon.relay.office import NoOffice
from fob_protocol.at.answer import Answer, Event, decode_answer, encode_answer
from fob_protocol.at.command import Command, decode_command, encode_command
from fob_protocol.at.values import Value, Values
from fob_protocol.catalogue import COMMANDS
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.errors import CkrError
from fob_protocol.relay import Waiting
from fob_protocol.session.handshake import Greeting

Handler = Callable[[Values], tuple[Values, ...]]


@dataclass
class FakeDeviceOffice:
    """Implements Link. Commands and answers cross as octets, so what does not fit the wire does not pass here either.

    `queue` has the questions that wait, the first one is under way; `told` what became of each number.
    """

    queue: deque[Waiting] = field(default_factory=deque)
    told: list[Values] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    handlers: dict[str, Handler] = field(default_factory=dict)
    is_away: bool = False
    # A line that it says whenever it is asked for what waits.
    always: Values | None = None
    # It says a question that came to nothing again at once.
    is_hasty: bool = False
    # Raised by the next request, and by no other.
    broken: CkrError | None = None
    greeting: Greeting | None = None
    _listeners: list[Callable[[Event], None]] = field(default_factory=list)
    _on_session: list[Callable[[Greeting | None], None]] = field(default_factory=list)

    async def present(self) -> Greeting:
        raise NotImplementedError

    async def request(self, command: Command, *, timeout: float) -> Answer:  # noqa: ASYNC109 - as Link has it
        if self.broken is not None:
            broken, self.broken = self.broken, None
            raise broken
        if self.is_away:
            raise AwayError("the line ended")
        arrived = decode_command(encode_command(command))
        self.asked.append(arrived.name)
        try:
            answer = Answer(self._answer(arrived))
        except CkrError as error:
            answer = Answer.refusal(error)
        return decode_answer(encode_answer(answer))

    def subscribe(self, listener: Callable[[Event], None]) -> None:
        self._listeners.append(listener)

    def on_session(self, listener: Callable[[Greeting | None], None]) -> None:
        self._on_session.append(listener)

    def come_back(self) -> None:
        """Another link session begins."""
        for listener in self._on_session:
            listener(Greeting(bytes(8), bytes(8), 1, 0))

    def say(self, name: str, *values: Value) -> None:
        """An unsolicited result code."""
        for listener in self._listeners:
            listener(Event(name, values))

    def wait_with(self, *waiting: Waiting) -> None:
        """Questions wait from now on, and the device says so."""
        self.queue.extend(waiting)
        self.say("+FOBRELAY", self.queue[0].number)

    def _answer(self, command: Command) -> tuple[Values, ...]:
        values = COMMANDS[command.name].check(command.values) if command.name in COMMANDS else command.values
        match command.name:
            case "+FOBRELAY":
                return self._next()
            case "+FOBRELAYED":
                return self._relayed(values)
            case name if name in self.handlers:
                return self.handlers[name](values)
        raise CkrError(Ckr.FUNCTION_NOT_SUPPORTED)

    def _relayed(self, values: Values) -> tuple[Values, ...]:
        """One that is not under way means nothing; one that failed waits again, and is not said at once."""
        self.told.append(values)
        if not self.queue or values[0] != self.queue[0].number:
            return self._next()
        if values[1] == 0:
            self.queue.popleft()
        return self._next() if values[1] == 0 or self.is_hasty else ()

    def _next(self) -> tuple[Values, ...]:
        if self.always is not None:
            return (self.always,)
        return (self.queue[0].values(),) if self.queue else ()


def saying(*lines: Values) -> Handler:
    """A handler that always says the same."""

    def say(values: Values) -> tuple[Values, ...]:
        return lines

    return say


def refusing(ckr: Ckr, words: str = "") -> Handler:
    """A handler that always refuses."""

    def refuse(values: Values) -> tuple[Values, ...]:
        raise CkrError(ckr, words)

    return refuse


def without_office(link: Link) -> BackOffice:
    """The back office of a device on a computer that has none configured, and tells nobody."""
    return BackOffice(lambda: "phone", link, Timeouts(), NoOffice(), lambda event: None)
