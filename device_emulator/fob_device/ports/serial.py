"""A real serial port."""

import asyncio

import serial
import serial_asyncio

from fob_device.line.phone_lines import PhoneLines
from fob_device.ports.stream import StreamLine
from fob_device.ports.url import Opened
from fob_protocol.link.line_options import BITS_PER_OCTET
from fob_protocol.session.pace import Pace

# How long an unplugged port is left alone before it is tried again.
REOPEN_AFTER = 1.0


class PortTransport(serial_asyncio.SerialTransport):  # type: ignore[misc]  # the library is untyped
    """A port that is pulled out while octets wait is no fault of this program: its log stays empty."""

    def _fatal_error(self, exc: Exception, message: str = "") -> None:
        self._abort(exc)


async def serve_serial(path: str, baud: int, lines: PhoneLines, opened: Opened) -> None:
    """Serve a serial port until cancelled; opens it again when it was unplugged. Raises OSError."""
    loop = asyncio.get_running_loop()
    # A port that is not plugged in yet is served all the same, as soon as it comes.
    opened()
    while True:
        line = StreamLine(lines, Pace(baud / BITS_PER_OCTET))
        try:
            transport = PortTransport(loop, line, serial.serial_for_url(path, baudrate=baud, exclusive=True))
        except serial.SerialException:
            await asyncio.sleep(REOPEN_AFTER)
            continue
        except ValueError as error:
            # A speed that this port does not do.
            raise OSError(str(error)) from None
        try:
            await line.lost.wait()
        finally:
            # close() never ends while octets wait for a line that is gone; a line that was lost has closed itself.
            if not line.lost.is_set():
                transport.abort()
