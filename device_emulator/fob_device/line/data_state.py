"""Data state: who is at the other end, and what its frames are for (docs/protocol.md, sections 2, 5 and 6)."""

from collections.abc import Callable
from dataclasses import dataclass

from fob_device.line.pairing import Paired, PairingDesk
from fob_device.line.session import DeviceSession
from fob_device.phone import Phone
from fob_protocol.at.answer import Event
from fob_protocol.catalogue import EVENT_GENERATION, EVENT_TOKEN
from fob_protocol.errors import ProtocolError, RecordError
from fob_protocol.link.frames import Frame, Kind, Reason
from fob_protocol.session.handshake import Accepted, Greeting, accept_session
from fob_protocol.session.pace import Pace
from fob_protocol.session.records import Opener
from fob_protocol.session.responder import Responder
from fob_protocol.versions import VERSIONS_LINE


@dataclass(frozen=True, slots=True)
class Offer:
    """A handshake that was answered. Step 1 may be a replay: only a record shows that the PC is there."""

    request: bytes
    accepted: Accepted
    greeting: Greeting

    def is_taken_up_by(self, frame: Frame) -> bool:
        """True for a record of the first of a session's numbers, sealed with the keys of this handshake."""
        number = 0 if frame.kind is Kind.CLOSE else frame.fields[0]
        try:
            Opener(self.accepted.keys.receive).open(frame, number)
        except RecordError:
            return False
        return True


class DataState:
    """From CONNECT to hang-up: frames in, frames out by `send`."""

    def __init__(
        self,
        phone: Phone,
        version: int,
        send: Callable[[Frame | bytes], None],
        clock: Callable[[], float],
        paired: Paired,
        over: str = "",
        pace: Callable[[], Pace] = Pace,
    ) -> None:
        self._phone = phone
        self._version = version
        self._send = send
        self._clock = clock
        self._over = over
        self._pace = pace
        self._desk = PairingDesk(phone, version, send, clock, paired)
        self._session: DeviceSession | None = None
        self._pc_key = b""
        self._offer: Offer | None = None
        self._is_taken_up = False

    @property
    def computer(self) -> str | None:
        """What the computer that has the session is called on the screen, None while there is none."""
        if self._session is None or self._session.closed or not self._phone.is_paired(self._pc_key):
            return None
        return self._phone.pairings.shown_name(self._pc_key)

    def receive(self, frame: Frame) -> None:
        """Take a frame; what no state expects is dropped."""
        if frame.kind is Kind.PAIR:
            self._desk.receive(frame)
        elif frame.kind is Kind.HANDSHAKE:
            self._handshake(frame)
        else:
            self._record(frame)

    def close(self) -> None:
        """The line hung up."""
        self._desk.close()
        self._end_session()

    def _handshake(self, frame: Frame) -> None:
        if self._offer is not None and self._offer.request == frame.body:
            self._send(self._offer.accepted.frame)
            return
        greeting = self._phone.greeting()
        try:
            accepted = accept_session(
                frame,
                self._phone.identity,
                VERSIONS_LINE,
                self._version,
                is_paired=self._phone.is_paired,
                greeting=greeting,
                random=self._phone.random,
            )
        except ProtocolError:
            self._send(Frame(Kind.REFUSE, (Reason.BAD_MESSAGE,)))
            return
        if accepted is None:
            self._send(Frame(Kind.REFUSE, (Reason.NOT_PAIRED,)))
            return
        self._offer, self._is_taken_up = Offer(frame.body, accepted, greeting), False
        self._send(accepted.frame)

    def _record(self, frame: Frame) -> None:
        if self._offer is not None and not self._is_taken_up and self._offer.is_taken_up_by(frame):
            self._is_taken_up = True
            self._begin_session(self._offer)
        if self._session is not None:
            self._session.receive(frame)
            if self._session.closed:
                self._end_session()

    def _begin_session(self, offer: Offer) -> None:
        self._end_session()
        if not self._phone.is_paired(offer.accepted.pc_key):
            return
        self._pc_key = offer.accepted.pc_key
        responder = Responder(offer.accepted.keys, self._pace)
        self._session = self._phone.begin_session(
            self._pc_key, offer.greeting, responder, self._send, self._clock, self._over
        )
        # What changed since the greeting was announced to sessions, and this was none yet.
        generation, flags = self._phone.token.generation, int(self._phone.token_flags())
        if generation != offer.greeting.generation:
            self._session.announce(Event(EVENT_GENERATION, (generation,)))
        if flags != offer.greeting.token_flags:
            self._session.announce(Event(EVENT_TOKEN, (flags,)))

    def _end_session(self) -> None:
        if self._session is not None:
            self._phone.end_session(self._session)
            self._session = None
