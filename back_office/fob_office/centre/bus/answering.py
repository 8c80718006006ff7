"""Answer the other processes of the data centre: which kinds may ask what is one table."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self, TypeAlias, TypeVar

import structlog

from fob_office.centre.bus.channel import Channel
from fob_office.centre.bus.commands import (
    Command,
    CommandReader,
    MalformedError,
    Reply,
    encode_refusal,
    encode_reply,
)
from fob_office.centre.bus.errors import BusRefusedError, PassError
from fob_office.centre.bus.passes import Kind, Party, Pass
from fob_office.centre.bus.places import close_listener, listen
from fob_office.centre.limits import CLOSE_TIME, CONNECTIONS, IN_HAND
from fob_office.centre.words import Word

log = structlog.get_logger(__name__)

CommandT = TypeVar("CommandT", bound=Command[Any])


@dataclass(frozen=True, slots=True)
class Row:
    """Who may ask, and who answers."""

    kinds: frozenset[Kind]
    handler: Callable[[Pass, Any], Awaitable[Reply]]


Table: TypeAlias = Mapping[type[Command[Any]], Row]


def row(kinds: Iterable[Kind], handler: Callable[[Pass, CommandT], Awaitable[Reply]]) -> Row:
    """A row of a table: `{Frank: row([Kind.FUNCTION], self.frank)}`."""
    return Row(frozenset(kinds), handler)


class _Conversation:
    """One connection, as who answers sees it. A Receiver."""

    def __init__(self, server: "Server") -> None:
        self._server = server
        self.channel: Channel
        self._peer: Pass
        self._tasks: set[asyncio.Task[None]] = set()

    def opened(self, peer: Pass) -> None:
        self._peer = peer

    def received(self, frame: bytes) -> None:
        if self._server.is_closing:
            return
        if len(self._tasks) >= IN_HAND:
            self.channel.end(f"more than {IN_HAND} questions in hand")
            return
        try:
            # A connection may last longer than the pass that it began with.
            self._server.me.trust.check_time(self._peer)
            number, command = self._server.reader.read(frame)
        except (MalformedError, PassError) as error:
            self.channel.end(str(error))
            return
        if isinstance(command, BusRefusedError):
            self.channel.send(encode_refusal(number, command))
            return
        task = asyncio.get_running_loop().create_task(self._answer(number, command))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def ended(self, why: str) -> None:
        log.info("a connection ended", why=why)
        self._server.forget(self)
        # What was begun is finished: a box that has written something has to go on from there.

    async def finish(self) -> None:
        """What is in hand."""
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _answer(self, number: int, command: Command[Any]) -> None:
        self.channel.send(await self._server.answer(self._peer, number, command))


class Server:
    """Listens until it is closed. `address`: with the port that it got."""

    def __init__(self, me: Party, table: Table) -> None:
        self.me = me
        self.reader = CommandReader(table)
        self.address = ""
        self.is_closing = False
        self._table = table
        self._kinds = frozenset[Kind]().union(*(entry.kinds for entry in table.values()))
        self._conversations: set[_Conversation] = set()
        # Those of conversations that have ended too, until their sockets are closed.
        self._channels: set[Channel] = set()
        self._listener: asyncio.Server | None = None

    async def listen(self, address: str) -> None:
        """Raises OSError, UsageError."""
        self._listener, self.address = await listen(address, self._channel)

    async def close(self) -> None:
        """Takes nothing more, ends what is in hand, and then the connections: their sockets are closed."""
        self.is_closing = True
        if self._listener is not None:
            await close_listener(self._listener)
        for conversation in tuple(self._conversations):
            await conversation.finish()
            conversation.channel.close("the process ends")
        await self._close_channels()

    async def _close_channels(self) -> None:
        going = tuple(self._channels)
        if not going:
            return
        await asyncio.wait([channel.gone for channel in going], timeout=CLOSE_TIME)
        for channel in going:
            channel.drop()
        await asyncio.wait([channel.gone for channel in going], timeout=CLOSE_TIME)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def forget(self, conversation: _Conversation) -> None:
        """It has ended."""
        self._conversations.discard(conversation)

    async def answer(self, peer: Pass, number: int, command: Command[Any]) -> bytes:
        """The frame that answers, whatever the handler does."""
        try:
            entry = self._table[type(command)]
            if peer.kind not in entry.kinds:
                raise BusRefusedError(Word.NOT_YOURS, f"not for a process of kind {peer.kind.word}")
            return encode_reply(number, await entry.handler(peer, command))
        except BusRefusedError as refused:
            return encode_refusal(number, refused)
        except Exception as error:
            # Without its text: it may hold what was asked.
            name = type(command).__name__
            log.error("a command failed", command=name, error=type(error).__name__, at=place_of(error))
            return encode_refusal(number, BusRefusedError(Word.FAILED, "an error of the program; its log has more"))

    def _channel(self) -> Channel:
        conversation = _Conversation(self)
        channel = conversation.channel = Channel(self.me, conversation, self._kinds)
        self._channels.add(channel)
        channel.gone.add_done_callback(lambda _: self._channels.discard(channel))
        if self.is_closing:
            channel.end("the process ends")
        elif len(self._conversations) >= CONNECTIONS:
            log.warning("too many connections", limit=CONNECTIONS)
            channel.end("too many connections")
        else:
            self._conversations.add(conversation)
        return channel


def place_of(error: BaseException) -> str:
    """For a log: file and line where it was raised."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace is not None else ""


async def serve(address: str, me: Party, table: Table) -> Server:
    """A server that listens. Raises OSError, UsageError."""
    server = Server(me, table)
    await server.listen(address)
    return server
