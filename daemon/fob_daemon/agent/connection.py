"""One client of the agent socket: its bytes, and one task that answers its messages in order."""

import asyncio
import socket
from collections.abc import Callable
from typing import cast

import structlog

from fob_daemon.agent.limits import MAX_MESSAGE, Limits
from fob_daemon.agent.messages import FAILURE
from fob_daemon.agent.session import AgentSession
from fob_daemon.agent.wire import MessageLengthError, MessageReader, frame

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


class Connection(asyncio.Protocol):
    """The protocol object of one connection.

    `admit` is asked with the socket when the connection is made and gives the session that answers it, or None to hang
    up; `ended` is told when it is over and the task is done. A client that hangs up withdraws its request.
    """

    def __init__(
        self,
        limits: Limits,
        admit: Callable[["Connection", socket.socket], AgentSession | None],
        ended: Callable[["Connection"], None],
    ) -> None:
        self._limits = limits
        self._admit = admit
        self._ended = ended
        self._reader = MessageReader()
        self._arrived = asyncio.Event()
        self._may_write = asyncio.Event()
        self._may_write.set()
        self._session: AgentSession
        self._transport: asyncio.Transport
        self._task: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        session = self._admit(self, transport.get_extra_info("socket"))
        if session is None:
            self._transport.abort()
            return
        self._session = session
        self._task = asyncio.get_running_loop().create_task(self._serve())
        self._task.add_done_callback(self._finished)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._task is not None:
            self._task.cancel()

    def data_received(self, data: bytes) -> None:
        self._reader.feed(data)
        if self._reader.waiting > MAX_MESSAGE:
            self._transport.pause_reading()
        self._arrived.set()

    def pause_writing(self) -> None:
        self._may_write.clear()

    def resume_writing(self) -> None:
        self._may_write.set()

    def close(self) -> None:
        """Hang up, whatever is under way."""
        self._transport.abort()

    async def _serve(self) -> None:
        try:
            while True:
                message = await self._next_message()
                self._transport.write(frame(await self._answer(message)))
                await self._may_write.wait()
        except MessageLengthError as error:
            _log.warning("agent.hung_up", reason=str(error))

    async def _next_message(self) -> bytes:
        while (message := self._reader.next_message()) is None:
            self._transport.resume_reading()
            self._arrived.clear()
            await self._arrived.wait()
        return message

    async def _answer(self, message: bytes) -> bytes:
        try:
            async with asyncio.timeout(self._limits.request_timeout):
                return await self._session.answer(message)
        except TimeoutError:
            _log.warning("agent.timeout", seconds=self._limits.request_timeout)
            return FAILURE

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._transport.abort()
        self._session.close()
        self._ended(self)
