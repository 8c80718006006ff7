"""A communication server: takes sealed questions at a local socket, and asks function servers by turns."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final

import structlog

from fob_office.centre.boxes.box import Box
from fob_office.centre.bus.answering import Table, row
from fob_office.centre.bus.asking import Links
from fob_office.centre.bus.errors import AwayError, BusRefusedError, DirectoryError, LateError
from fob_office.centre.bus.passes import Kind, Pass
from fob_office.centre.commands.communication import Count, Counted
from fob_office.centre.commands.function import Answer
from fob_office.centre.communication.frames import (
    QUESTIONS_IN_HAND,
    Answered,
    Asked,
    BrokenError,
    Status,
    frame,
    read_frame,
)
from fob_office.centre.places import office_socket
from fob_office.centre.rotation import Rotation
from fob_office.centre.words import Word
from fob_office.errors import OperatorError

log = structlog.get_logger(__name__)

# Seconds for all that a function server does, and looks for: a failover of a meter box is among it.
QUESTION_TIME: Final = 15.0
# Web workers: one connection each.
WORKERS_LIMIT: Final = 128


class Forwarding:
    """Asks function servers, one after another until one answers. A question may be asked twice: it is done once."""

    def __init__(self, links: Links) -> None:
        self._links = links
        self._rotation = Rotation()
        self._questions = 0
        self._unanswered = 0
        self._waiting = 0

    async def count(self, _: Pass, asked: Count) -> Counted:
        """As Count says."""
        return Counted(self._questions, self._unanswered, self._waiting)

    async def ask(self, asked: Asked) -> Answered:
        """Whatever comes of it."""
        self._questions += 1
        self._waiting += 1
        try:
            return await self._ask(asked)
        finally:
            self._waiting -= 1

    async def _ask(self, asked: Asked) -> Answered:
        for name in self._names():
            try:
                given = await self._links.to(name).ask(Answer(asked.question), QUESTION_TIME)
                return Answered(asked.number, Status.OK, given.sealed)
            except LateError:
                break
            except AwayError:
                continue
            except BusRefusedError as refused:
                if refused.word == Word.MALFORMED:
                    return Answered(asked.number, Status.MALFORMED, refused.why.encode())
                log.warning("a function server refuses", name=name, word=refused.word, why=refused.why)
        self._unanswered += 1
        return Answered(asked.number, Status.UNAVAILABLE, b"")

    def _names(self) -> list[str]:
        try:
            names = [entry.name for entry in self._links.directory.of_kind(Kind.FUNCTION)]
        except DirectoryError as error:
            log.error("no function server is known", why=str(error))
            return []
        return self._rotation.of(names)


class Doorway:
    """The local socket, for the office's web workers alone."""

    def __init__(self, forwarding: Forwarding) -> None:
        self._forwarding = forwarding
        self._connections: set[asyncio.Task[None]] = set()

    async def listen(self, path: Path) -> asyncio.Server:
        """Raises OSError."""
        # Nobody connects before its mode is right.
        before = os.umask(0o177)
        try:
            return await asyncio.start_unix_server(self._connected, path)
        finally:
            os.umask(before)

    async def close(self) -> None:
        """Ends all connections; what was asked has its answer, or none."""
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if len(self._connections) >= WORKERS_LIMIT or task is None:
            writer.close()
            return
        self._connections.add(task)
        try:
            await self._converse(reader, writer)
        except BrokenError as error:
            log.warning("a web worker breaks the rules", why=str(error))
        except asyncio.CancelledError:
            # The process ends: who asks sees the end of the connection.
            pass
        finally:
            self._connections.discard(task)
            writer.close()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        room = asyncio.Semaphore(QUESTIONS_IN_HAND)
        async with asyncio.TaskGroup() as answering:
            while (asked := await read_frame(reader, Asked)) is not None:
                await room.acquire()
                answering.create_task(self._answer(asked, writer, room))

    async def _answer(self, asked: Asked, writer: asyncio.StreamWriter, room: asyncio.Semaphore) -> None:
        try:
            answered = await self._forwarding.ask(asked)
            writer.write(frame(answered))
            # A worker that does not read is not asked for more.
            with suppress(OSError):
                await writer.drain()
        finally:
            room.release()


@asynccontextmanager
async def communication_server(box: Box) -> AsyncIterator[Table]:
    """The factory of kind COMMUNICATION. Raises OperatorError."""
    address = box.links.directory.named(box.name).address
    path = office_socket(address)
    if path is None:
        why = f"{address} is no Unix socket, and web workers ask at one beside it"
        raise OperatorError(f"{box.name} does not serve", why, "give it an address of this machine")
    forwarding = Forwarding(box.links)
    doorway = Doorway(forwarding)
    server = await doorway.listen(path)
    try:
        yield {Count: row([Kind.OPERATOR], forwarding.count)}
    finally:
        server.close()
        await doorway.close()
