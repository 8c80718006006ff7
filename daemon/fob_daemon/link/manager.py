"""The link manager: keeps a device's link up, carries requests over its breaks, and tells what it is doing."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Final

from fob_daemon.link.begin import RefusedError, begin_session
from fob_daemon.link.data_line import DataLine, open_data_line
from fob_daemon.link.opening import NotADeviceError, VersionError
from fob_daemon.link.presence import Presence
from fob_daemon.link.session import PcSession, SessionLostError
from fob_daemon.link.transport import BondLostError, LineOpener, LineUnavailableError, LineUrl, open_line
from fob_protocol.at.answer import Answer, Event, decode_answer
from fob_protocol.at.command import BARE, Command, encode_command
from fob_protocol.catalogue import RECALL
from fob_protocol.errors import AtSyntaxError
from fob_protocol.limits import KEEPALIVE, TEXT_LIMIT
from fob_protocol.link.gatt import BOND_LOST_PAUSE
from fob_protocol.noise.keys import KeyPair, Random
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.errors import CkrError
from fob_protocol.session.handshake import Greeting
from fob_protocol.session.requester import Counters

# Waits between attempts to connect: quick after a hiccup, gentle with a device that stays away.
BACKOFF: Final = (0.1, 0.2, 0.5, 1.0, 2.0)

# The least that an idle line is left alone: a rest of nanoseconds must not spin.
KEEPALIVE_STEP: Final = 1.0

# A device that hung up is reconnected to at once, on the same line. One that hangs up again within this time is
# treated as any other break, so that whoever writes NO CARRIER on the line does not keep the daemon busy.
HANG_UPS_APART: Final = 1.0


class State(Enum):
    """What the link is doing; the words are for people."""

    CONNECTING = "connecting"
    READY = "ready"
    AWAY = "away"
    REFUSED = "refused"
    STOPPED = "stopped"


@dataclass(slots=True)
class Traffic:
    """What crossed the link since the daemon started, over all its lines."""

    octets_sent: int = 0
    octets_received: int = 0
    damaged: int = 0
    connects: int = 0


@dataclass(frozen=True, slots=True)
class Sent:
    """A request that a device may have seen: in which start of it, which session, under which number."""

    boot: bytes
    session: bytes
    number: int


class LinkManager:
    """One device's link for the life of the daemon; implements `Link`."""

    def __init__(
        self,
        url: LineUrl,
        identity: KeyPair,
        device_key: bytes,
        random: Random,
        opener: LineOpener = open_line,
    ) -> None:
        self.url = url
        self._opener = opener
        self.state = State.CONNECTING
        self.why = ""
        self.counters = Counters()
        self._identity = identity
        self._device_key = device_key
        self._random = random
        self._past = Traffic()
        self._data_line: DataLine | None = None
        self._presence = Presence()
        self._event_listeners: list[Callable[[Event], None]] = []
        self._session_listeners: list[Callable[[Greeting | None], None]] = []
        self._change_listeners: list[Callable[[], None]] = []
        self._wake = asyncio.Event()
        self._bond_lost = False

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
        """Call `listener` whenever the state changes."""
        self._change_listeners.append(listener)

    async def ready(self) -> None:
        """Wait for a session."""
        await self._presence.present()

    def traffic(self) -> Traffic:
        """The totals up to now."""
        past, line = self._past, self._data_line
        if line is None:
            return past
        return Traffic(
            past.octets_sent + line.line.octets_sent,
            past.octets_received + line.line.octets_received,
            past.damaged + line.damaged,
            past.connects,
        )

    async def request(self, command: Command, *, timeout: float) -> Answer:  # noqa: ASYNC109 - withdrawn there too
        """One command, one answer. Raises CkrError (see `Link.request`)."""
        text = encode_command(command)
        if len(text) > TEXT_LIMIT:
            raise CkrError(Ckr.DATA_LEN_RANGE, f"a command over {TEXT_LIMIT} octets")
        try:
            async with asyncio.timeout(timeout):
                return decode_answer(await self._exchange(text))
        except TimeoutError:
            raise CkrError(Ckr.FUNCTION_CANCELED, f"no answer within {timeout:.0f} s") from None
        except AtSyntaxError as error:
            raise CkrError(Ckr.DEVICE_ERROR, f"the device's answer does not parse: {error}") from None

    async def run(self) -> None:
        """Connect and reconnect until cancelled."""
        # What is asked for in the first moment waits for the link as after a break.
        self._presence.is_lost()
        failures = 0
        try:
            while True:
                failures = 0 if await self._connect_once() else failures + 1
                self._wake.clear()
                backoff = BACKOFF[min(failures, len(BACKOFF) - 1)]
                await self._pause(BOND_LOST_PAUSE if self._bond_lost else backoff)
        finally:
            self.state = State.STOPPED

    def try_now(self) -> None:
        """Do not wait for the next attempt: the line was just plugged in, or the person asked."""
        self._wake.set()

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        except TimeoutError:
            return

    async def _connect_once(self) -> bool:
        """One line from its opening to its end; True when a session was open. Never raises but when cancelled."""
        self._bond_lost = False
        sessions = self._past.connects
        try:
            data_line = await open_data_line(self.url, self._opener, self._presence.device_answers)
            self._data_line = data_line
            while await self._serve(data_line, await self._begin(data_line)):
                await data_line.enter(self._presence.device_answers)
        except (RefusedError, VersionError, BondLostError) as error:
            self._bond_lost = isinstance(error, BondLostError)
            self._note(State.REFUSED, str(error))
        except (LineUnavailableError, NotADeviceError, ConnectionError, TimeoutError) as error:
            self._note(State.AWAY, str(error))
        finally:
            self._drop_line()
            self._presence.attempt_failed()
        return self._past.connects > sessions

    async def _begin(self, data_line: DataLine) -> PcSession:
        return await begin_session(
            data_line,
            self._identity,
            self._device_key,
            self._random,
            on_event=self._announce,
            counters=self.counters,
        )

    async def _serve(self, data_line: DataLine, session: PcSession) -> bool:
        """A session to its end; True when the device hung up and is to be called back at once."""
        began = asyncio.get_running_loop().time()
        self._past.connects += 1
        self._note(State.READY, "")
        self._presence.begin(session)
        self._tell_listeners(session.greeting)
        watch = asyncio.create_task(data_line.line.lost.wait())
        end = asyncio.create_task(session.lost.wait())
        alive = asyncio.create_task(self._keep_alive(session))
        try:
            await asyncio.wait((watch, end, alive), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (watch, end, alive):
                task.cancel()
            if data_line.line.lost.is_set() or session.lost.is_set():
                session.end()
                self._note(State.AWAY, _why_lost(data_line))
            else:
                session.close()
            self._presence.is_lost(data_line.line.rate)
            self._tell_listeners(None)
        lasted = asyncio.get_running_loop().time() - began
        return data_line.is_over and not data_line.line.lost.is_set() and lasted >= HANG_UPS_APART

    async def _keep_alive(self, session: PcSession) -> None:
        """Probe an idle line; a probe without an answer ends the session by itself."""
        loop = asyncio.get_running_loop()
        while not session.lost.is_set():
            idle = loop.time() - session.last_used
            if idle < KEEPALIVE:
                await asyncio.sleep(max(KEEPALIVE - idle, KEEPALIVE_STEP))
                continue
            try:
                await session.request(encode_command(BARE), is_keepalive=True)
            except SessionLostError:
                return

    def _tell_listeners(self, greeting: Greeting | None) -> None:
        for listener in self._session_listeners:
            listener(greeting)

    async def _exchange(self, text: bytes) -> bytes:
        """The answer's text, over as many sessions as it takes; run at most once by the device."""
        sent: Sent | None = None
        while True:
            session = await self._session_soon(sent)
            try:
                if sent is not None:
                    recalled = await self._recall(session, sent)
                    if recalled is not None:
                        return recalled
                    sent = None
                return await session.request(text)
            except SessionLostError as lost:
                if sent is None and lost.number is not None:
                    sent = Sent(session.greeting.boot, session.greeting.session, lost.number)

    async def _session_soon(self, sent: Sent | None) -> PcSession:
        """The session, waiting a moment for a link that broke just now. Raises CkrError."""
        session = await self._presence.soon()
        if session is not None:
            return session
        if sent is not None:
            raise CkrError(Ckr.DEVICE_ERROR, "the link was lost; whether the device did it is not known")
        raise CkrError(Ckr.DEVICE_REMOVED, self.why or "the device is away")

    @staticmethod
    async def _recall(session: PcSession, sent: Sent) -> bytes | None:
        """What an earlier session made of a request; None if it never came. Raises CkrError, SessionLostError."""
        if session.greeting.boot != sent.boot:
            raise CkrError(Ckr.DEVICE_ERROR, "the device restarted; whether it did the operation is not known")
        text = await session.request(encode_command(RECALL.build(sent.session, sent.number)))
        never_came = decode_answer(text).ckr == Ckr.OPERATION_NOT_INITIALIZED
        return None if never_came else text

    def _announce(self, event: Event) -> None:
        for listener in self._event_listeners:
            listener(event)

    def _note(self, state: State, why: str) -> None:
        if (state, why) == (self.state, self.why):
            return
        self.state, self.why = state, why
        for listener in self._change_listeners:
            listener()

    def _drop_line(self) -> None:
        line = self._data_line
        if line is None:
            return
        line.line.close()
        self._past = self.traffic()
        self._data_line = None


def _why_lost(data_line: DataLine) -> str:
    if data_line.line.lost.is_set():
        return "the line ended"
    return "the device hung up" if data_line.is_over else "the device fell silent"
