"""One client of the provider socket: its bytes, its calls under way, and their bounds.

A call that the engine answers at once is answered in the same pass of the event loop. One that waits becomes a task, so
that it does not hold up the others; the client tells the replies apart by their codes.
"""

import asyncio
import socket
from collections.abc import Callable
from functools import partial
from typing import Final, cast

import structlog

from fob_daemon.cryptoki.interface import Application
from fob_daemon.peer import PeerIdentity
from fob_daemon.rpc.dispatch import Dispatcher, Reply, error_reply
from fob_daemon.rpc.frames import FrameReader, FrameTooLargeError, frame
from fob_daemon.rpc.limits import Limits
from fob_protocol.pkcs11.ckr import Ckr

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

ApplicationFactory = Callable[[PeerIdentity], Application]

# One receive; a request has about 50 bytes, and a large one takes several passes.
_RECEIVE_SIZE: Final = 32 * 1024


class Connection(asyncio.BufferedProtocol):
    """The protocol object of one connection.

    `admit` is asked with the socket when the connection is made and says who the peer is, or None to hang up; `ended`
    is told when it is over.
    """

    def __init__(
        self,
        limits: Limits,
        make_application: ApplicationFactory,
        admit: Callable[["Connection", socket.socket], PeerIdentity | None],
        ended: Callable[["Connection"], None],
    ) -> None:
        self._limits = limits
        self._make_application = make_application
        self._admit = admit
        self._ended = ended
        self._buffer = memoryview(bytearray(_RECEIVE_SIZE))
        self._frames = FrameReader(limits.max_options, limits.max_body)
        self._pending: dict[asyncio.Task[bytes], int] = {}
        self._pending_input = 0
        self._writing_paused = False
        self._reading_paused = False
        self._transport: asyncio.Transport
        self._peer: PeerIdentity
        self._handshake_timer: asyncio.TimerHandle | None = None
        self._dispatcher: Dispatcher | None = None
        self._closed = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        peer = self._admit(self, transport.get_extra_info("socket"))
        if peer is None:
            self._transport.abort()
            return
        self._peer = peer
        self._handshake_timer = asyncio.get_running_loop().call_later(
            self._limits.handshake_timeout, self._hang_up, "no version byte came"
        )

    def connection_lost(self, exc: Exception | None) -> None:
        self._reading_paused = True
        for task in self._pending:
            task.cancel()
        self._stop_handshake_timer()
        self._ended(self)
        self._closed.set()
        if self._dispatcher is not None:
            self._dispatcher.close()

    async def close(self) -> None:
        """Hang up, whatever is under way; afterwards the application is closed."""
        self._transport.abort()
        await self._closed.wait()

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        received = self._buffer[:nbytes]
        if self._dispatcher is None:
            self._negotiate(received[0])
            received = received[1:]
        self._frames.feed(received)
        self._process()

    def pause_writing(self) -> None:
        self._writing_paused = True

    def resume_writing(self) -> None:
        self._writing_paused = False
        self._process()

    def _negotiate(self, offered_version: int) -> None:
        self._stop_handshake_timer()
        self._dispatcher = Dispatcher(
            offered_version, partial(self._make_application, self._peer), self._limits.call_timeout
        )
        self._transport.write(bytes((self._dispatcher.version,)))

    def _stop_handshake_timer(self) -> None:
        if self._handshake_timer is not None:
            self._handshake_timer.cancel()

    def _process(self) -> None:
        """Answer what has arrived, as long as the client reads and has not too much under way."""
        dispatcher = self._dispatcher
        while dispatcher is not None and self._has_room() and not self._transport.is_closing():
            try:
                received = self._frames.next_frame()
            except FrameTooLargeError as error:
                self._hang_up(str(error))
                return
            if received is None:
                break
            code, body = received
            self._answer(code, dispatcher.answer(body), len(body))
        self._read_or_pause()

    def _has_room(self) -> bool:
        return not self._writing_paused and self._pending_input <= self._limits.max_pending_input

    def _read_or_pause(self) -> None:
        if self._transport.is_closing() or self._has_room() is not self._reading_paused:
            return
        if self._reading_paused:
            self._reading_paused = False
            self._transport.resume_reading()
        else:
            self._reading_paused = True
            self._transport.pause_reading()

    def _answer(self, code: int, reply: Reply, request_size: int) -> None:
        if isinstance(reply, bytes):
            self._send(code, reply)
        elif len(self._pending) >= self._limits.max_pending_calls:
            reply.close()
            self._send(code, error_reply(Ckr.HOST_MEMORY))
        else:
            task = asyncio.get_running_loop().create_task(reply)
            self._pending[task] = request_size
            self._pending_input += request_size
            task.add_done_callback(partial(self._finished, code))

    def _finished(self, code: int, task: asyncio.Task[bytes]) -> None:
        self._pending_input -= self._pending.pop(task)
        if task.cancelled():
            return
        reply = task.result()
        if not self._transport.is_closing():
            self._send(code, reply)
            self._process()

    def _send(self, code: int, body: bytes) -> None:
        self._transport.write(frame(code, body))
        if self._transport.get_write_buffer_size() > self._limits.max_pending_output:
            self._hang_up("it does not read its replies")

    def _hang_up(self, reason: str) -> None:
        _log.warning("rpc.hung_up", program=self._peer.program, pid=self._peer.pid, reason=reason)
        self._transport.abort()
