"""A stream of octets, from a serial port or a socket, with a line at this end of it."""

import asyncio
from typing import cast

from fob_device.line.phone_lines import LineHandler, PhoneLines
from fob_protocol.session.pace import Pace


class StreamLine(asyncio.Protocol):
    """Passes a transport's octets to a line."""

    def __init__(self, lines: PhoneLines, pace: Pace | None = None) -> None:
        self._lines = lines
        self._pace = pace or Pace()
        self._line: LineHandler | None = None
        self.lost = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """There is somebody, or may be."""
        # No isinstance: another loop's transports have the methods of asyncio's and not their classes.
        stream = cast(asyncio.WriteTransport, transport)
        self._line = self._lines(stream.write, close=stream.abort, pace=lambda: self._pace)

    def data_received(self, data: bytes) -> None:
        """Octets came."""
        if self._line is not None:
            self._line.data_received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """Nobody is there any more."""
        if self._line is not None:
            self._line.hang_up()
        self.lost.set()
