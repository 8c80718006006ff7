"""A phone that is on: its ports served until somebody stops it."""

import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import Sequence

import click

from fob_device.errors import StartError
from fob_device.line.phone_lines import PhoneLines
from fob_device.phone import Phone
from fob_device.ports.url import Port


async def serve(phone: Phone, ports: Sequence[Port]) -> None:
    """Serve every port until SIGTERM or SIGINT. Raises StartError when one of them cannot be served."""
    task = asyncio.current_task()
    loop = asyncio.get_running_loop()
    if task is not None:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, task.cancel)
    opened = [asyncio.Event() for _ in ports]
    try:
        async with asyncio.TaskGroup() as group:
            for port, event in zip(ports, opened, strict=True):
                group.create_task(_serve_one(phone, port, event))
            for event in opened:
                await event.wait()
            click.echo(f"phone '{phone.token.info().label}' is on: {', '.join(p.url for p in ports)}", err=True)
            say_ready()
    except asyncio.CancelledError:
        return
    except BaseExceptionGroup as several:
        # The first one says enough; the others were stopped because of it.
        raise several.exceptions[0] from None


async def _serve_one(phone: Phone, port: Port, opened: asyncio.Event) -> None:
    try:
        await port.serve(PhoneLines(phone, over=port.url), opened.set)
    except OSError as error:
        why = error.strerror or str(error)
        if error.filename is not None:
            why = f"{error.filename}: {why}"
        raise StartError(f"the phone cannot be reached by {port.url}", why, port.look) from None


def say_ready() -> None:
    """Tell whoever started us, as services do (sd_notify(3)); nobody has to listen."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if address.startswith("/"):
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.sendto(b"READY=1", address)
