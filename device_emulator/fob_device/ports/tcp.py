"""A TCP port, for tests and for emulators that run elsewhere. One PC at a time, as on a cable."""

import asyncio
from typing import cast

from fob_device.line.phone_lines import PhoneLines
from fob_device.ports.stream import StreamLine
from fob_device.ports.url import Opened


class TcpLine(StreamLine):
    """One connection; a newer one takes the line over."""

    def __init__(self, lines: PhoneLines, current: "list[asyncio.WriteTransport]") -> None:
        super().__init__(lines)
        self._current = current

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A PC connected."""
        for earlier in self._current:
            earlier.abort()
        self._current[:] = [cast(asyncio.WriteTransport, transport)]
        super().connection_made(transport)


async def serve_tcp(host: str, port: int, lines: PhoneLines, opened: Opened) -> None:
    """Serve a TCP port until cancelled."""
    current: list[asyncio.WriteTransport] = []
    server = await asyncio.get_running_loop().create_server(lambda: TcpLine(lines, current), host, port)
    opened()
    async with server:
        try:
            await server.serve_forever()
        finally:
            # A server waits for its connections to end.
            for connection in current:
                connection.abort()
