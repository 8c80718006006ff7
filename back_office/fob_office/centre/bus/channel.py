"""One encrypted connection between two processes: Noise IK, passes in the handshake, then frames.

On the wire: 4 octets of length, then a Noise message. The initiator's pass is the payload of the first message, the
responder's that of the second; from then on each message is one frame.
"""

import asyncio
from collections.abc import Callable, Collection
from typing import Final, Protocol, cast

from fob_office.centre.bus.errors import PassError
from fob_office.centre.bus.passes import Kind, Party, Pass
from fob_office.centre.limits import FRAME_LIMIT, HANDSHAKE_LIMIT, HANDSHAKE_TIME, WRITE_LIMIT
from fob_protocol.errors import HandshakeError
from fob_protocol.noise.handshake import IK, HandshakeState
from fob_protocol.noise.state import TAG_SIZE, CipherState

PROLOGUE: Final = b"fob/1 bus"
# Why a connection ended: the other side's pass is none that is taken here, or the handshake is none.
HANDSHAKE_FAILED: Final = "the handshake failed: "
_LENGTH_SIZE: Final = 4
_MESSAGE_LIMIT: Final = FRAME_LIMIT + TAG_SIZE


class Receiver(Protocol):
    """What a channel tells whoever uses it."""

    def opened(self, peer: Pass) -> None:
        """The handshake is done: frames may be sent."""

    def received(self, frame: bytes) -> None:
        """A frame of the other side."""

    def ended(self, why: str) -> None:
        """The connection is over; told once."""


class _BrokenError(Exception):
    """The other side breaks the rules of the wire: it ends the connection, and is seen by nobody."""


class Channel(asyncio.Protocol):
    """Both sides; `remote_static` is known to the one that connects.

    `kinds` and `name`: who the other side may be.
    """

    def __init__(
        self,
        me: Party,
        receiver: Receiver,
        kinds: Collection[Kind],
        *,
        remote_static: bytes | None = None,
        name: str | None = None,
    ) -> None:
        self._me = me
        self._receiver = receiver
        self._kinds = kinds
        self._name = name
        self._is_initiator = remote_static is not None
        self._handshake = HandshakeState(
            IK,
            initiator=self._is_initiator,
            prologue=PROLOGUE,
            static=me.static,
            random=me.random,
            remote_static=remote_static,
        )
        self._out, self._in = CipherState(), CipherState()
        self._step: Callable[[bytes], None] = self._shake
        self._limit = HANDSHAKE_LIMIT
        self._buffer = bytearray()
        self._outgoing: list[bytes] = []
        self._has_ended = False
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        # Its socket is closed, which takes longer than the end when something is still to be written.
        self.gone: asyncio.Future[None] = self._loop.create_future()
        self._deadline = self._loop.call_later(HANDSHAKE_TIME, self.end, "no handshake in time")

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The socket is there."""
        self._transport = cast(asyncio.Transport, transport)
        if self._has_ended:
            self._transport.abort()
            return
        self._transport.set_write_buffer_limits(WRITE_LIMIT)
        if self._is_initiator:
            self._write(self._handshake.write(self._me.shown()))

    def send(self, frame: bytes) -> None:
        """Frames of one turn of the loop go out in one write. After the end, nothing happens."""
        if not self._has_ended:
            self._write(self._out.encrypt(b"", frame))

    def end(self, why: str) -> None:
        """Now, whatever was not written yet."""
        if self._has_ended:
            return
        if self._transport is not None:
            self._transport.abort()
        self._over(why)

    def close(self, why: str) -> None:
        """When all is written."""
        if self._has_ended:
            return
        self._flush()
        if self._transport is not None:
            self._transport.close()
        self._over(why)

    def drop(self) -> None:
        """After the end: what the other side does not take is not written any more."""
        if self._transport is not None:
            self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """The socket is closed."""
        self.gone.set_result(None)
        self.end("the connection ended" if exc is None else f"the connection ended: {exc}")

    def pause_writing(self) -> None:
        """Who does not take answers is read no more.

        What is asked is bounded by IN_HAND; if askers stopped reading too, both sides could wait for ever.
        """
        if self._transport is not None and not self._is_initiator:
            self._transport.pause_reading()

    def resume_writing(self) -> None:
        """They are taken again."""
        if self._transport is not None and not self._has_ended and not self._is_initiator:
            self._transport.resume_reading()

    def data_received(self, data: bytes) -> None:
        """Any part of the stream."""
        self._buffer += data
        try:
            self._take_messages()
        except _BrokenError as error:
            self.end(str(error))
        except (HandshakeError, PassError) as error:
            self.end(f"{HANDSHAKE_FAILED}{error}")

    def _take_messages(self) -> None:
        place = 0
        buffer = self._buffer
        while len(buffer) - place >= _LENGTH_SIZE and not self._has_ended:
            size = int.from_bytes(buffer[place : place + _LENGTH_SIZE])
            if not TAG_SIZE <= size <= self._limit:
                raise _BrokenError(f"a message of {size} octets")
            end = place + _LENGTH_SIZE + size
            if len(buffer) < end:
                break
            self._step(bytes(buffer[place + _LENGTH_SIZE : end]))
            place = end
        del buffer[:place]

    def _shake(self, message: bytes) -> None:
        shown = self._handshake.read(message)
        static = self._handshake.remote_static or b""
        peer = self._me.trust.check(shown, static, self._kinds, self._name)
        if not self._is_initiator:
            self._write(self._handshake.write(self._me.shown()))
        outgoing, incoming = self._handshake.split()
        self._out.set_key(outgoing)
        self._in.set_key(incoming)
        self._step, self._limit = self._take_frame, _MESSAGE_LIMIT
        self._deadline.cancel()
        self._receiver.opened(peer)

    def _take_frame(self, message: bytes) -> None:
        try:
            frame = self._in.decrypt(b"", message)
        except HandshakeError:
            raise _BrokenError("a frame does not open: somebody changed it") from None
        self._receiver.received(frame)

    def _write(self, message: bytes) -> None:
        if not self._outgoing:
            self._loop.call_soon(self._flush)
        self._outgoing += (len(message).to_bytes(_LENGTH_SIZE), message)

    def _flush(self) -> None:
        if self._transport is not None and self._outgoing and not self._has_ended:
            self._transport.write(b"".join(self._outgoing))
            self._outgoing.clear()

    def _over(self, why: str) -> None:
        self._has_ended = True
        self._deadline.cancel()
        self._outgoing.clear()
        self._receiver.ended(why)
