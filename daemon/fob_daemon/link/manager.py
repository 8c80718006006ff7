"""The link manager: one link to a device over its lines; carries requests over breaks, and tells what it is doing."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from fob_daemon.link.begin import begin_session
from fob_daemon.link.data_line import DataLine
from fob_daemon.link.fate import FateUnknownError
from fob_daemon.link.gate import Gate
from fob_daemon.link.keeper import LineKeeper, State, Traffic
from fob_daemon.link.presence import Presence
from fob_daemon.link.questions import Questions
from fob_daemon.link.session import PcSession, SessionLostError
from fob_daemon.link.transport import LineOpener, LineUrl, open_line
from fob_daemon.link.turns import Turns
from fob_daemon.link.unpaired import UnpairedError
from fob_protocol.at.answer import Answer, Event, decode_answer
from fob_protocol.at.command import Command, encode_command
from fob_protocol.catalogue import NEED_NOBODY, RECALL
from fob_protocol.errors import AtSyntaxError
from fob_protocol.limits import PARKED_LIMIT, TEXT_LIMIT
from fob_protocol.noise.keys import KeyPair, Random
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.errors import CkrError
from fob_protocol.session.handshake import Greeting
from fob_protocol.session.pace import Pace, Paced, Steady
from fob_protocol.session.requester import Counters


@dataclass(frozen=True, slots=True)
class Sent:
    """A request that a device may have seen: in which start of it, which session, under which number."""

    boot: bytes
    session: bytes
    number: int


class LinkManager:
    """One device's link for the life of the daemon; implements `Link`, and `Sessions` for its lines."""

    def __init__(
        self,
        urls: Sequence[LineUrl],
        identity: KeyPair,
        device_key: bytes,
        random: Random,
        opener: LineOpener = open_line,
    ) -> None:
        """`urls` are the device's lines, the preferred one first."""
        self.counters = Counters()
        self.questions = Questions()
        self.connects = 0
        self._identity = identity
        self._device_key = device_key
        self._random = random
        self._opener = opener
        self._presence = Presence()
        self._gate = Gate()
        self._is_unpaired = False
        # The one that carried the newest session.
        self._line: Paced = Steady()
        self._event_listeners: list[Callable[[Event], None]] = []
        self._session_listeners: list[Callable[[Greeting | None], None]] = []
        self._change_listeners: list[Callable[[], None]] = []
        # What crossed lines that are the device's no more.
        self._past = Traffic()
        self.lines: tuple[LineKeeper, ...] = ()
        self.use(urls)

    def use(self, urls: Sequence[LineUrl]) -> None:
        """The device's lines from now on, the preferred one first. Only while the link does not run."""
        self._past = self.traffic()
        turns = Turns()
        self.lines = tuple(
            LineKeeper(url, rank, self._opener, turns, self._presence, self, self._tell_change)
            for rank, url in enumerate(urls)
        )

    @property
    def urls(self) -> tuple[LineUrl, ...]:
        """The device's lines."""
        return tuple(line.url for line in self.lines)

    @property
    def line(self) -> LineKeeper:
        """The line that speaks for the link: the one in session, else one that is about to be, else the preferred."""
        return min(self.lines, key=lambda line: STATES_BY_NEARNESS.index(line.state))

    @property
    def state(self) -> State:
        """What the link is doing."""
        state = self.line.state
        return State.CONNECTING if state is State.STANDBY else state

    @property
    def why(self) -> str:
        """Why there is no session."""
        return self.line.why

    @property
    def remedy(self) -> str:
        """A command that helps, if one is known."""
        return self.line.remedy

    @property
    def greeting(self) -> Greeting | None:
        """The current session's greeting, None while the device is away."""
        session = self._presence.session
        return session.greeting if session else None

    def subscribe(self, listener: Callable[[Event], None]) -> None:
        """Call `listener` for every event of the device."""
        self._event_listeners.append(listener)

    def on_session(self, listener: Callable[[Greeting | None], None]) -> None:
        """Call `listener` at the start of each session, and with None when the device goes away."""
        self._session_listeners.append(listener)

    def on_change(self, listener: Callable[[], None]) -> None:
        """Call `listener` whenever the state of a line changes."""
        self._change_listeners.append(listener)

    @property
    def line_pace(self) -> Pace:
        """Of the line that carries the session, or carried the newest one."""
        return self._line.pace

    async def ready(self) -> None:
        """Wait for a session."""
        await self._presence.present()

    async def present(self) -> Greeting:
        """The session's greeting. Raises CkrError (see `Link.present`)."""
        await self._gate.opened()
        return (await self._session_soon(None)).greeting

    def traffic(self) -> Traffic:
        """What crossed all lines since the daemon started."""
        return sum((line.traffic() for line in self.lines), start=self._past)

    async def request(self, command: Command, *, timeout: float) -> Answer:  # noqa: ASYNC109 - withdrawn there too
        """One command, one answer. Raises CkrError (see `Link.request`)."""
        text = encode_command(command)
        if len(text) > TEXT_LIMIT:
            raise CkrError(Ckr.DATA_LEN_RANGE, f"a command over {TEXT_LIMIT} octets")
        await self._gate.opened()
        seconds, may_wait = self.line_pace.stretched(timeout), command.name not in NEED_NOBODY
        try:
            with self._gate.passed(), self.questions.request() as name:
                async with asyncio.timeout(seconds):
                    return decode_answer(await self._exchange(text, name, may_wait))
        except TimeoutError:
            why = f"no answer within {seconds:.0f} s{self._crowd() if may_wait else ''}"
            raise CkrError(Ckr.FUNCTION_CANCELED, why) from None
        except AtSyntaxError as error:
            raise CkrError(Ckr.DEVICE_ERROR, f"the device's answer does not parse: {error}") from None

    def part(self) -> None:
        """The device is not paired any more: who waits for it, and who asks from now on, hears so."""
        self._is_unpaired = True
        self._gate.open()

    def hold(self) -> None:
        """A pairing is to have the line: what is asked for from now on waits until `go_on`."""
        self._gate.shut()

    def go_on(self) -> None:
        """The pairing is over: whoever waits is served by the next session. The link runs, or is about to."""
        if self._gate.is_shut:
            if self.greeting is None:
                self._expect_soon()
            self._gate.open()

    @property
    def is_idle(self) -> bool:
        """True when no request is under way."""
        return self._gate.is_idle

    async def idle(self) -> None:
        """Wait until no request is under way."""
        await self._gate.idle()

    async def run(self) -> None:
        """Keep every line until cancelled."""
        self._expect_soon()
        async with asyncio.TaskGroup() as lines:
            for line in self.lines:
                lines.create_task(line.run())

    def try_now(self) -> None:
        """Do not wait for the next attempt: a line was just plugged in, or the person asked."""
        for line in self.lines:
            line.try_now()

    async def begin(self, data_line: DataLine) -> PcSession:
        """Handshake. Raises RefusedError, TimeoutError, HungUpError."""
        return await begin_session(
            data_line,
            self._identity,
            self._device_key,
            self._random,
            on_event=self._announce,
            counters=self.counters,
        )

    def began(self, data_line: DataLine, session: PcSession) -> None:
        """A line's session serves requests from now on."""
        self.connects += 1
        self._line = data_line.line
        self._presence.begin(session)
        self._tell_session(session.greeting)

    def ended(self, data_line: DataLine) -> None:
        """It serves none any more."""
        # A break that was noticed late has used up the time that a program waits.
        line = data_line.line
        self._presence.is_lost(line.pace, data_line.url.reopening(line.pace) if line.lost.is_set() else 0.0)
        self._tell_session(None)

    def asked_about(self, number: int) -> int | None:
        """The request of `questions` that the device means by this number; None when it is over."""
        session = self._presence.session
        name = None if session is None else session.name_of(number)
        if name is not None:
            self.questions.is_asked(name)
        return name

    def _expect_soon(self) -> None:
        """What is asked for in the first moment waits for the link as after a break."""
        pace = self.line_pace
        self._presence.is_lost(pace, max((line.url.reopening(pace) for line in self.lines), default=0.0))

    def _crowd(self) -> str:
        """What kept a request from its answer, if many wait."""
        session = self._presence.session
        is_crowded = session is not None and session.is_crowded
        return f": {PARKED_LIMIT} requests wait for the person on the device" if is_crowded else ""

    async def _exchange(self, text: bytes, name: int, may_wait: bool) -> bytes:
        """The answer's text, over as many sessions as it takes; run at most once by the device."""
        sent: Sent | None = None
        while True:
            session = await self._session_soon(sent)
            try:
                if sent is not None:
                    recalled = await self._recall(session, sent, name)
                    if recalled is not None:
                        return recalled
                    sent = None
                return await session.request(text, may_wait=may_wait, name=name)
            except SessionLostError as lost:
                if sent is None and lost.number is not None:
                    sent = Sent(session.greeting.boot, session.greeting.session, lost.number)

    async def _session_soon(self, sent: Sent | None) -> PcSession:
        """The session, waiting a moment for a link that broke just now. Raises CkrError."""
        session = None if self._is_unpaired else await self._presence.soon()
        if self._is_unpaired:
            raise UnpairedError
        if session is not None:
            return session
        if sent is not None:
            raise FateUnknownError("the link was lost")
        raise CkrError(Ckr.DEVICE_REMOVED, self.why or "the device is away")

    @staticmethod
    async def _recall(session: PcSession, sent: Sent, name: int) -> bytes | None:
        """What an earlier session made of a request; None if it never came. Raises CkrError, SessionLostError."""
        if session.greeting.boot != sent.boot:
            raise FateUnknownError("the device restarted")
        text = await session.request(encode_command(RECALL.build(sent.session, sent.number)), name=name)
        never_came = decode_answer(text).ckr == Ckr.OPERATION_NOT_INITIALIZED
        return None if never_came else text

    def _announce(self, event: Event) -> None:
        for listener in self._event_listeners:
            listener(event)

    def _tell_session(self, greeting: Greeting | None) -> None:
        for listener in self._session_listeners:
            listener(greeting)

    def _tell_change(self) -> None:
        for listener in self._change_listeners:
            listener()


STATES_BY_NEARNESS = (
    State.READY,
    State.STANDBY,
    State.CONNECTING,
    State.REFUSED,
    State.AWAY,
    State.STOPPED,
)
