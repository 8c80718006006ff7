"""Control channels on Unix sockets: one JSON object in a line asks, one answers."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any, Final

import msgspec

# A request is a short line, and whoever controls something has one connection or two.
LINE_LIMIT: Final = 4096
CLIENTS_LIMIT: Final = 8

# The answer to a line without its end. Must not raise.
Answer = Callable[[bytes], Awaitable[Mapping[str, Any]]]


class JsonLines:
    """Serves at most CLIENTS_LIMIT clients at once, each of which gets its answers in the order of its questions."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._clients: set[asyncio.Task[None]] = set()

    @contextlib.asynccontextmanager
    async def serving(self, where: str | socket.socket) -> AsyncIterator[None]:
        """Serve at a path, or on a socket that listens, within the block. Raises OSError."""
        place: dict[str, Any] = {"path": where} if isinstance(where, str) else {"sock": where}
        server = await asyncio.start_unix_server(self._serve, limit=LINE_LIMIT, **place)
        try:
            yield
        finally:
            server.close()
            for client in self._clients:
                client.cancel()
            await asyncio.gather(*self._clients, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        client = asyncio.current_task()
        if client is None or len(self._clients) >= CLIENTS_LIMIT:
            writer.close()
            return
        self._clients.add(client)
        try:
            while line := await reader.readline():
                writer.write(msgspec.json.encode(await self._answer(line)) + b"\n")
                await writer.drain()
        except (ConnectionError, ValueError):
            # Gone, or a line over the limit.
            pass
        finally:
            self._clients.discard(client)
            writer.close()
