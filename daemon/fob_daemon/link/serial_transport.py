"""A serial port as one of the event loop's transports."""

import asyncio

import serial
import serial_asyncio


class SerialTransport(serial_asyncio.SerialTransport):  # type: ignore[misc]  # the library is untyped
    """A port that is pulled out while octets wait is no fault of this program: its log stays empty."""

    def _fatal_error(self, exc: Exception, message: str = "") -> None:
        self._abort(exc)


def open_serial(path: str, baud: int, protocol: asyncio.Protocol) -> None:
    """Drive `protocol` by a port that no other program has. Raises OSError; ValueError for a speed it does not do."""
    # SerialException is an OSError. `exclusive` keeps a second program from reading half of the octets.
    SerialTransport(asyncio.get_running_loop(), protocol, serial.serial_for_url(path, baudrate=baud, exclusive=True))
