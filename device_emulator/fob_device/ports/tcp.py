"""A TCP port, for tests and for emulators that run elsewhere. One PC at a time, as on a cable."""

import asyncio

from fob_device.line.phone_lines import LineHandler, PhoneLines
from fob_device.ports.url import Opened


class TcpLine(asyncio.Protocol):
    """One connection; a newer one takes the line over."""

    def __init__(self, lines: PhoneLines, current: "list[asyncio.WriteTransport]") -> None:
        self._lines = lines
        self._current = current
        self._line: LineHandler | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A PC connected."""
        if not isinstance(transport, asyncio.WriteTransport):
            return
        for earlier in self._current:
            earlier.abort()
        self._current[:] = [transport]
        self._line = self._lines(transport.write, close=transport.abort)

    def data_received(self, data: bytes) -> None:
        """Octets came."""
        if self._line is not None:
            self._line.data_received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """The PC is gone."""
        if self._line is not None:
            self._line.hang_up()


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
