"""A web worker asks communication servers: one connection to each, and many questions on it."""

import asyncio
from pathlib import Path
from typing import Final

from fob_office.centre.bus.directory import FILE as DIRECTORY
from fob_office.centre.bus.directory import read_entries
from fob_office.centre.bus.errors import DirectoryError
from fob_office.centre.bus.passes import Kind
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

# Seconds; a communication server itself gives up earlier.
_ANSWER_TIME: Final = 20.0


class CentreAwayError(Exception):
    """Nobody answers now."""


class NotReadableError(Exception):
    """No function server has a key that opens the question, or it is none; the text says which, for people."""


class _Conversation:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self._waiting: dict[int, asyncio.Future[Answered]] = {}
        self._last = 0
        self._reading = asyncio.create_task(self._read(reader))

    @property
    def is_open(self) -> bool:
        return not self._reading.done()

    async def ask(self, question: bytes) -> Answered:
        """Raises CentreAwayError."""
        if len(self._waiting) >= QUESTIONS_IN_HAND or not self.is_open:
            raise CentreAwayError("the communication server has too much to do, or is away")
        self._last += 1
        number = self._last
        waiting: asyncio.Future[Answered] = asyncio.get_running_loop().create_future()
        self._waiting[number] = waiting
        try:
            self._writer.write(frame(Asked(number, question)))
            async with asyncio.timeout(_ANSWER_TIME):
                return await waiting
        except TimeoutError:
            raise CentreAwayError("no answer in time") from None
        finally:
            self._waiting.pop(number, None)

    def close(self) -> None:
        """Who waits hears that it is away."""
        self._reading.cancel()

    async def _read(self, reader: asyncio.StreamReader) -> None:
        try:
            while (answered := await read_frame(reader, Answered)) is not None:
                waiting = self._waiting.get(answered.number)
                if waiting is not None and not waiting.done():
                    waiting.set_result(answered)
        except BrokenError:
            # It ends here, as if it had hung up.
            pass
        finally:
            self._writer.close()
            for waiting in self._waiting.values():
                if not waiting.done():
                    waiting.set_exception(CentreAwayError("the communication server ended"))


class CentreAsker:
    """Of one web worker; `close` it."""

    def __init__(self, centre: Path) -> None:
        self._centre = centre
        self._conversations: dict[Path, _Conversation] = {}
        self._connecting = asyncio.Lock()
        self._rotation = Rotation()
        self._mark = (0, 0)
        self._known: list[Path] = []

    async def ask(self, question: bytes) -> bytes:
        """What goes back to the device. Raises CentreAwayError, NotReadableError."""
        for path in self._paths():
            try:
                answered = await (await self._conversation(path)).ask(question)
            except (CentreAwayError, OSError):
                continue
            if answered.status == Status.OK:
                return answered.answer
            if answered.status == Status.MALFORMED:
                raise NotReadableError(answered.answer.decode(errors="replace"))
        raise CentreAwayError("no communication server answers")

    def close(self) -> None:
        """All connections."""
        for conversation in self._conversations.values():
            conversation.close()

    async def _conversation(self, path: Path) -> _Conversation:
        """Raises OSError."""
        # One connection for all that wait for it.
        async with self._connecting:
            conversation = self._conversations.get(path)
            if conversation is None or not conversation.is_open:
                conversation = _Conversation(*await asyncio.open_unix_connection(path))
                self._conversations[path] = conversation
            return conversation

    def _paths(self) -> list[Path]:
        """By turns; the directory is read again when it has changed."""
        path = self._centre / DIRECTORY
        try:
            found = path.stat()
            if (mark := (found.st_ino, found.st_mtime_ns)) != self._mark:
                addresses = [entry.address for entry in read_entries(path) if entry.kind == Kind.COMMUNICATION]
                self._known = [place for address in addresses if (place := office_socket(address)) is not None]
                self._mark = mark
        except (OSError, DirectoryError):
            return []
        return self._rotation.of(self._known)
