"""Data state: who is at the other end, and what its frames are for (docs/protocol.md, sections 2, 5 and 6)."""

from collections.abc import Callable

from fob_device.line.pairing import Paired, PairingDesk
from fob_device.line.session import DeviceSession
from fob_device.phone import Phone
from fob_protocol.errors import ProtocolError
from fob_protocol.link.frames import Frame, Kind, Reason
from fob_protocol.session.handshake import accept_session
from fob_protocol.session.responder import Responder
from fob_protocol.versions import VERSIONS_LINE


class DataState:
    """From CONNECT to hang-up: frames in, frames out by `send`."""

    def __init__(
        self,
        phone: Phone,
        version: int,
        send: Callable[[Frame | bytes], None],
        clock: Callable[[], float],
        paired: Paired,
    ) -> None:
        self._phone = phone
        self._version = version
        self._send = send
        self._clock = clock
        self._desk = PairingDesk(phone, version, send, clock, paired)
        self._session: DeviceSession | None = None
        self._accepted: tuple[bytes, Frame] | None = None

    def receive(self, frame: Frame) -> None:
        """Take a frame; what no state expects is dropped."""
        if frame.kind is Kind.PAIR:
            self._desk.receive(frame)
        elif frame.kind is Kind.HANDSHAKE:
            self._handshake(frame)
        elif self._session is not None:
            self._session.receive(frame)

    def close(self) -> None:
        """The line hung up."""
        self._desk.close()
        self._end_session()

    def _handshake(self, frame: Frame) -> None:
        if self._accepted is not None and self._accepted[0] == frame.body:
            self._send(self._accepted[1])
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
        self._end_session()
        self._accepted = (frame.body, accepted.frame)
        self._session = self._phone.begin_session(
            accepted.pc_key, greeting, Responder(accepted.keys), self._send, self._clock
        )
        self._send(accepted.frame)

    def _end_session(self) -> None:
        if self._session is not None:
            self._phone.end_session(self._session)
            self._session = None
