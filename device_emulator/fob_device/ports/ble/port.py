"""A Bluetooth controller as a port of the phone."""

import asyncio
import errno
import logging
from typing import Final

from bumble.core import BaseBumbleError
from bumble.transport import open_transport
from bumble.transport.common import Transport

from fob_device.line.phone_lines import PhoneLines
from fob_device.ports.ble.station import Station
from fob_device.ports.url import Opened

OPEN_TIME: Final = 10.0
# How long a controller that failed or was unplugged is left alone before it is tried again.
REOPEN_AFTER: Final = 1.0

# Above CRITICAL: the stack's debug texts hold keys, its errors are written at a stranger's will.
SILENT: Final = 100


async def serve_ble(name: str, lines: PhoneLines, opened: Opened) -> None:
    """Serve a controller until cancelled; opens it again when it was unplugged.

    `name` as bumble calls a transport, "hci-socket:0". Raises OSError when it cannot be had to begin with.
    """
    logging.getLogger("bumble").setLevel(SILENT)
    was_opened = asyncio.Event()

    def say_opened() -> None:
        if not was_opened.is_set():
            was_opened.set()
            opened()

    while True:
        try:
            await _serve_once(name, lines, say_opened)
        except (BaseBumbleError, OSError) as error:
            if not was_opened.is_set():
                raise _as_os_error(error, name) from None
        await asyncio.sleep(REOPEN_AFTER)


async def _serve_once(name: str, lines: PhoneLines, opened: Opened) -> None:
    """Until the controller is gone."""
    async with await _open(name) as transport:
        station = asyncio.create_task(Station(transport, lines).serve(opened))
        try:
            await asyncio.wait((station, transport.source.terminated), return_when=asyncio.FIRST_COMPLETED)
        finally:
            station.cancel()
            await asyncio.gather(station, return_exceptions=True)
        if not station.cancelled():
            station.result()


async def _open(name: str) -> Transport:
    """Raises OSError."""
    try:
        async with asyncio.timeout(OPEN_TIME):
            return await open_transport(name)
    except OSError:
        raise
    except Exception as error:
        # The libraries behind the transports (USB, sockets) have errors of their own, each another kind.
        raise OSError(errno.EIO, str(error) or type(error).__name__, name) from error


def _as_os_error(error: BaseBumbleError | OSError, name: str) -> OSError:
    if isinstance(error, OSError) and error.strerror:
        return error
    return OSError(errno.EIO, "it does not answer" if isinstance(error, TimeoutError) else str(error), name)
