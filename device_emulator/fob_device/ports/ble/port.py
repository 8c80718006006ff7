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
from fob_device.ports.url import Opened, PortLostError
from fob_protocol.link.hci_host import HUNG_UP, ControllerLostError

OPEN_TIME: Final = 10.0

# Above CRITICAL: the stack's debug texts hold keys, its errors are written at a stranger's will.
SILENT: Final = 100


async def serve_ble(name: str, lines: PhoneLines, opened: Opened) -> None:
    """Serve a controller until cancelled.

    `name` as bumble calls a transport, "hci-socket:0". Raises PortLostError when it is unplugged or sends no HCI any
    more, OSError when it cannot be had to begin with.
    """
    logging.getLogger("bumble").setLevel(SILENT)
    was_opened = asyncio.Event()

    def say_opened() -> None:
        was_opened.set()
        opened()

    try:
        await _serve(name, lines, say_opened)
    except (BaseBumbleError, OSError) as error:
        if was_opened.is_set():
            raise PortLostError(errno.EIO, _words(error), name) from None
        raise _as_os_error(error, name) from None


async def _serve(name: str, lines: PhoneLines, opened: Opened) -> None:
    """Until the controller is gone. Raises OSError, BaseBumbleError."""
    async with await _open(name) as transport:
        station = Station(transport, lines)
        serving = asyncio.create_task(station.serve(opened))
        try:
            await asyncio.wait((serving, transport.source.terminated), return_when=asyncio.FIRST_COMPLETED)
        finally:
            serving.cancel()
            await asyncio.gather(serving, return_exceptions=True)
        if not serving.cancelled():
            serving.result()
        raise ControllerLostError(station.lost or HUNG_UP)


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
    return error if isinstance(error, OSError) and error.strerror else OSError(errno.EIO, _words(error), name)


def _words(error: BaseBumbleError | OSError) -> str:
    if isinstance(error, TimeoutError):
        return "it does not answer"
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
