"""Ask one process of the data centre: a link that connects when it is needed, and has many questions in hand."""

import asyncio
from functools import partial
from typing import Any

import msgspec

from fob_office.centre.bus.channel import Channel
from fob_office.centre.bus.commands import (
    Command,
    MalformedError,
    ReplyT,
    encode_command,
    read_reply,
    split_answer,
)
from fob_office.centre.bus.directory import Directory
from fob_office.centre.bus.errors import AwayError, BusRefusedError, DirectoryError, DownError, LateError, PassError
from fob_office.centre.bus.passes import Party, Pass, read_pass
from fob_office.centre.bus.places import connect
from fob_office.centre.limits import ANSWER_TIME, FIRST_LINK_PAUSE, IN_HAND, LONGEST_LINK_PAUSE, SILENCE
from fob_office.errors import UsageError

_Answer = asyncio.Future[msgspec.Raw]


class _Conversation:
    """One connection: the questions on it, by their numbers; `shown` is the pass that it begins with. A Receiver."""

    def __init__(self, name: str, shown: bytes) -> None:
        self._name = name
        self.shown = shown
        self._channel: Channel | None = None
        self._loop = asyncio.get_running_loop()
        self._last = 0
        # Since when something is waited for and nothing was heard.
        self._silent_since = 0.0
        # Those given up too, until they are answered: the other side counts them.
        self._waiting: dict[int, _Answer] = {}
        self._room = asyncio.Semaphore(IN_HAND)
        self.is_open: asyncio.Future[None] = self._loop.create_future()
        self.why = ""
        # Once it is open.
        self.peer: Pass
        # Nobody begins to ask here any more.
        self.is_ending = False
        self._askers = 0

    def begin(self, channel: Channel) -> None:
        self._channel = channel

    def opened(self, peer: Pass) -> None:
        self.peer = peer
        if not self.is_open.done():
            self.is_open.set_result(None)

    def received(self, frame: bytes) -> None:
        try:
            number, answer = split_answer(frame)
            waiting = self._waiting.pop(number)
        except (MalformedError, KeyError):
            self.end("an answer that was not asked for")
            return
        self._room.release()
        self._silent_since = self._loop.time()
        if waiting.done():
            return
        if isinstance(answer, BusRefusedError):
            waiting.set_exception(answer)
        else:
            waiting.set_result(answer)

    def ended(self, why: str) -> None:
        self.why = why
        _fail(self.is_open, AwayError(self._name, why, was_sent=False))
        for waiting in self._waiting.values():
            _fail(waiting, AwayError(self._name, why, was_sent=True))
        for _ in self._waiting:
            self._room.release()
        self._waiting.clear()

    def end(self, why: str) -> None:
        if self._channel is not None:
            self._channel.end(why)

    def late(self) -> None:
        """An answer did not come in time: perhaps nobody is there any more."""
        if self._waiting and self._loop.time() - self._silent_since >= SILENCE:
            self.end(f"nothing was heard for {SILENCE:g} s")

    def end_after(self) -> None:
        """When all who ask now have their answers."""
        self.is_ending = True
        if not self._askers:
            self.end("a newer pass is shown")

    async def ask(self, command: Command[Any]) -> msgspec.Raw:
        """Raises AwayError, BusRefusedError, ValueError."""
        self._askers += 1
        try:
            return await self._ask(command)
        finally:
            self._askers -= 1
            if self.is_ending:
                self.end_after()

    async def _ask(self, command: Command[Any]) -> msgspec.Raw:
        await self._room.acquire()
        if self.why or self._channel is None:
            self._room.release()
            raise AwayError(self._name, self.why, was_sent=False)
        try:
            frame = encode_command(self._last + 1, command)
        except ValueError:
            self._room.release()
            raise
        if not self._waiting:
            self._silent_since = self._loop.time()
        self._last += 1
        answer: _Answer = self._loop.create_future()
        self._waiting[self._last] = answer
        self._channel.send(frame)
        return await answer


def _fail(waiting: asyncio.Future[Any], error: AwayError) -> None:
    if not waiting.done():
        waiting.set_exception(error)
        # Perhaps nobody waits any more.
        waiting.exception()


class Link:
    """To one named process of the directory. Connections are made when something is asked, again and again."""

    def __init__(self, me: Party, directory: Directory, name: str) -> None:
        self.name = name
        self._me = me
        self._directory = directory
        self._conversation: _Conversation | None = None
        # Those that began with an older pass, and end.
        self._ending: list[_Conversation] = []
        self._connecting: asyncio.Task[_Conversation] | None = None
        self._pause = 0.0
        self._not_before = 0.0

    async def ask(self, command: Command[ReplyT], timeout: float = ANSWER_TIME) -> ReplyT:  # noqa: ASYNC109 - one for connecting and asking, told as LateError
        """The reply, in this many seconds.

        Raises BusRefusedError; AwayError when it cannot be reached or ends, LateError in time; ValueError for more
        than a frame holds. Who gives up in time or is cancelled does not know whether it was done.
        """
        conversation: _Conversation | None = None
        try:
            async with asyncio.timeout(timeout):
                conversation = await self._open()
                body = await conversation.ask(command)
        except TimeoutError:
            if conversation is not None:
                conversation.late()
            raise LateError(self.name, f"no answer in {timeout:g} s", was_sent=conversation is not None) from None
        try:
            return read_reply(command, body)
        except MalformedError as error:
            conversation.end(str(error))
            raise AwayError(self.name, str(error), was_sent=True) from None

    async def meet(self, timeout: float) -> Pass:  # noqa: ASYNC109 - as for `ask`
        """The pass that it shows. Raises AwayError."""
        try:
            async with asyncio.timeout(timeout):
                conversation = await self._open()
        except TimeoutError:
            raise LateError(self.name, f"no handshake in {timeout:g} s", was_sent=False) from None
        return conversation.peer

    def close(self) -> None:
        """Whoever waits hears that it is away."""
        if self._connecting is not None:
            self._connecting.cancel()
        for conversation in (self._conversation, *self._ending):
            if conversation is not None:
                conversation.end("the link was closed")

    async def _open(self) -> _Conversation:
        """Raises AwayError."""
        conversation = await self._connected()
        while conversation.is_ending:
            # A newer pass came while this one waited for the connection.
            conversation = await self._connected()
        return conversation

    async def _connected(self) -> _Conversation:
        conversation = self._conversation
        if conversation is not None and not conversation.why:
            # One side ends a connection whose pass is over, whatever is asked on it just then.
            if conversation.shown == self._me.shown():
                return conversation
            self._replace(conversation)
        connecting = self._connecting
        if connecting is None:
            connecting = self._connecting = asyncio.create_task(self._connect(), name=f"to {self.name}")
            connecting.add_done_callback(self._end_connecting)
        # One connection for all that wait; who gives up does not stop it for the others.
        try:
            return await asyncio.shield(connecting)
        except asyncio.CancelledError:
            # A process that ends closes its links and cancels who asks: then both are.
            asking = asyncio.current_task()
            if connecting.cancelled() and not (asking and asking.cancelling()):
                raise AwayError(self.name, "the link was closed", was_sent=False) from None
            raise

    def _replace(self, conversation: _Conversation) -> None:
        self._conversation = None
        self._ending = [one for one in self._ending if not one.why] + [conversation]
        conversation.end_after()

    def _end_connecting(self, task: asyncio.Task[_Conversation]) -> None:
        if self._connecting is task:
            self._connecting = None
        if not task.cancelled():
            # Perhaps nobody waits any more.
            task.exception()

    async def _connect(self) -> _Conversation:
        loop = asyncio.get_running_loop()
        await asyncio.sleep(max(0.0, self._not_before - loop.time()))
        try:
            conversation = await self._converse()
        except AwayError:
            self._pause = min(max(2 * self._pause, FIRST_LINK_PAUSE), LONGEST_LINK_PAUSE)
            self._not_before = loop.time() + self._pause
            raise
        self._pause = 0.0
        self._conversation, self._connecting = conversation, None
        return conversation

    async def _converse(self) -> _Conversation:
        """Raises AwayError."""
        conversation = _Conversation(self.name, self._me.shown())
        try:
            entry = self._directory.named(self.name)
            static = read_pass(self._me.trust.manufacturing, entry.shown).static
            make = partial(Channel, self._me, conversation, (entry.kind,), remote_static=static, name=self.name)
            conversation.begin(await connect(entry.address, make))
        except (DirectoryError, PassError, UsageError) as error:
            raise AwayError(self.name, str(error), was_sent=False) from None
        except UnicodeError as error:
            # Of a name of a host that cannot be one.
            raise AwayError(self.name, f"it is not known where: {error}", was_sent=False) from None
        except (ConnectionRefusedError, FileNotFoundError) as error:
            why = f"it does not run ({error.strerror or error})"
            raise DownError(self.name, why, was_sent=False) from None
        except OSError as error:
            raise AwayError(self.name, error.strerror or str(error), was_sent=False) from None
        try:
            await conversation.is_open
        except asyncio.CancelledError:
            conversation.end("the link was closed")
            raise
        return conversation


class Links:
    """One link to each process that was asked so far; bounded by the directory."""

    def __init__(self, me: Party, directory: Directory) -> None:
        self._me = me
        self.directory = directory
        self._links: dict[str, Link] = {}

    def to(self, name: str) -> Link:
        """It is made, and connects when something is asked."""
        link = self._links.get(name)
        if link is None:
            link = self._links[name] = Link(self._me, self.directory, name)
        return link

    @property
    def mine(self) -> bytes:
        """The pass that is shown to all of them, as signed."""
        return self._me.shown()

    def fresh(self, name: str) -> Link:
        """Another one, which whoever takes it closes."""
        return Link(self._me, self.directory, name)

    def close(self) -> None:
        """All of them."""
        for link in self._links.values():
            link.close()
