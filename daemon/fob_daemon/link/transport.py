"""Transports: octets to a device and back, chosen by URL.

`serial:/dev/ttyUSB0?baud=115200`, `tcp:127.0.0.1:4000`, `ble:C0:11:22:33:44:55` (which `fob_daemon.link.ble` opens).
"""

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, Protocol, cast
from urllib.parse import unquote

from fob_daemon.link.line_errors import why_unavailable
from fob_protocol.link.line_options import (
    BITS_PER_OCTET,
    TCP_PORT_MAXIMUM,
    LineOptionError,
    read_baud,
    read_number,
    read_options,
)
from fob_protocol.session.pace import Pace, Paced

HELP: Final = "a device's line is serial:/dev/ttyUSB0?baud=115200, ble:C0:11:22:33:44:55 or tcp:127.0.0.1:4000"
BLE: Final = "ble"
# The kinds of line, the preferred one first.
SCHEMES: Final = ("serial", "tcp", BLE)

# Why a device may not pair though its person has closed nothing (docs/protocol.md, section 5).
CLOSED_A_WHILE: Final = "After five tries in a row it is closed for a minute"

# A line that does not take octets this long is stuck; waiting for more only fills memory.
UNSENT_LIMIT: Final = 262_144

_BLUETOOTH_ADDRESS: Final = re.compile(r"[0-9A-F]{2}(:[0-9A-F]{2}){5}")


class LineUrlError(ValueError):
    """The URL names no line."""


class LineUnavailableError(OSError):
    """The line cannot be opened now; it may be there later. `remedy`: a command that may help, if one is known."""

    def __init__(self, why: str, remedy: str = "") -> None:
        self.why = why
        self.remedy = remedy
        super().__init__(why)


class BondLostError(LineUnavailableError):
    """One side has lost the Bluetooth bond (docs/protocol.md, section 8): only pairing again heals that."""


class BondRefusedError(LineUnavailableError):
    """The device does not bond: its person has not opened pairing, or it cannot bond as section 8 wants it."""


@dataclass(frozen=True, slots=True)
class LineUrl:
    """A parsed URL."""

    text: str
    scheme: str
    path: str
    baud: int = 0

    @property
    def place(self) -> tuple[str, str]:
        """What is at the end of the line, whatever its options: one program has it open at a time."""
        return self.scheme, self.path

    def reopening(self, pace: Pace) -> float:
        """Seconds that opening such a line takes while its device is there; a cable that is plugged in takes none."""
        return pace.radio_reopening_time if self.scheme == BLE else 0.0

    @classmethod
    def parse(cls, text: str) -> "LineUrl":
        """Raises LineUrlError."""
        try:
            return cls._parse(text)
        except LineOptionError as error:
            raise LineUrlError(f"'{text}': {error}") from None

    @classmethod
    def _parse(cls, text: str) -> "LineUrl":
        scheme, _, rest = text.partition(":")
        path, _, query = rest.partition("?")
        path = unquote(path)
        if "\0" in path:
            raise LineUrlError(f"'{text}': {HELP}")
        if scheme == "serial" and path:
            return cls(text, scheme, path, read_baud(query))
        if scheme == "tcp" and path.rpartition(":")[0]:
            read_options(query)
            read_number("port", path.rpartition(":")[2], 1, TCP_PORT_MAXIMUM)
            return cls(text, scheme, path)
        if scheme == BLE and _BLUETOOTH_ADDRESS.fullmatch(path.upper()):
            read_options(query)
            return cls(f"{BLE}:{path.upper()}", scheme, path.upper())
        raise LineUrlError(f"'{text}': {HELP}")


class Line(Paced, Protocol):
    """An open line. Octets that come go to its opener's callback, in order; `lost` is set at its end."""

    lost: asyncio.Event
    octets_sent: int
    octets_received: int

    def write(self, data: bytes) -> None:
        """Send octets; on a line that is gone they vanish, and `lost` tells."""

    def close(self) -> None:
        """End the line at once."""


class StreamLine(asyncio.Protocol):
    """A Line over one of the event loop's transports."""

    def __init__(self, url: LineUrl, on_data: Callable[[bytes], None]) -> None:
        self.pace = Pace(url.baud / BITS_PER_OCTET if url.baud else None)
        self._on_data = on_data
        self._transport: asyncio.WriteTransport | None = None
        self.connected = asyncio.Event()
        self.lost = asyncio.Event()
        self.octets_sent = 0
        self.octets_received = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by the event loop."""
        # No isinstance: uvloop's transports have the methods of asyncio's and not their classes.
        self._transport = cast(asyncio.WriteTransport, transport)
        self.connected.set()

    def data_received(self, data: bytes) -> None:
        """Called by the event loop."""
        self.octets_received += len(data)
        self._on_data(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by the event loop."""
        self._transport = None
        self.lost.set()

    def took(self, seconds: float) -> None:
        """A wire's pace is known from the beginning."""

    def write(self, data: bytes) -> None:
        """Send octets; on a line that is gone they vanish, and `lost` tells."""
        if self._transport is None or not data:
            return
        self.octets_sent += len(data)
        self._transport.write(data)
        if self._transport.get_write_buffer_size() > UNSENT_LIMIT:
            self.close()

    def close(self) -> None:
        """End the line at once: a graceful close would wait for octets that nobody takes."""
        if self._transport is not None:
            self._transport.abort()


# Opens a line whose octets go to the callback. Raises LineUnavailableError.
LineOpener = Callable[[LineUrl, Callable[[bytes], None]], Awaitable[Line]]


async def open_line(url: LineUrl, on_data: Callable[[bytes], None]) -> Line:
    """Open the wire that a URL names; its library is imported only now. Raises LineUnavailableError."""
    line = StreamLine(url, on_data)
    try:
        if url.scheme == BLE:
            raise OSError("this is no line by wire")
        if url.scheme == "serial":
            from fob_daemon.link.serial_transport import open_serial

            open_serial(url.path, url.baud, line)
            # The loop connects port and line in its next turn; what is written before vanishes.
            await line.connected.wait()
        else:
            host, _, port = url.path.rpartition(":")
            await asyncio.get_running_loop().create_connection(lambda: line, host, int(port))
    except OSError as error:
        raise LineUnavailableError(f"{url.text}: {why_unavailable(error)}") from None
    except ValueError as error:
        # A speed that the port does not do; what is no name of a host.
        raise LineUnavailableError(f"{url.text}: {error}") from None
    return line
