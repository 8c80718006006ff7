"""A TCP port, for tests and for emulators that run elsewhere. One PC at a time, as on a cable."""

import asyncio

from fob_device.ports.url import LineHandler, MakeLine, Opened


class TcpLine(asyncio.Protocol):
    """One connection; a newer one takes the line over."""

    def __init__(self, make_line: MakeLine, current: "list[asyncio.WriteTransport]") -> None:
        self._make_line = make_line
        self._current = current
        self._line: LineHandler | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A PC connected."""
        if not isinstance(transport, asyncio.WriteTransport):
            return
        for earlier in self._current:
            earlier.abort()
        self._current[:] = [transport]
        self._line = self._make_line(transport.write)

    def data_received(self, data: bytes) -> None:
        """Octets came."""
        if self._line is not None:
            self._line.data_received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """The PC is gone."""
        if self._line is not None:
            self._line.hang_up()


async def serve_tcp(host: str, port: int, make_line: MakeLine, opened: Opened) -> None:
    """Serve a TCP port until cancelled."""
    current: list[asyncio.WriteTransport] = []
    server = await asyncio.get_running_loop().create_server(lambda: TcpLine(make_line, current), host, port)
    opened()
    async with server:
        await server.serve_forever()
