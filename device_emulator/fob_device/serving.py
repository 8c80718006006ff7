"""A phone that runs: its ports served, whenever it has power, until somebody stops it."""

import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import Mapping
from pathlib import Path

import click

from fob_device.errors import StartError
from fob_device.workbench.control import serving_bench
from fob_device.workbench.workbench import SwitchOn, Workbench


async def serve(
    bench: Workbench,
    switch_on: SwitchOn,
    folder: Path,
    screen: contextlib.AbstractAsyncContextManager[None] | None = None,
) -> None:
    """Serve the phone of a folder, its workbench and its screen until SIGTERM or SIGINT.

    Raises StartError when the phone cannot be switched on, or a port or the workbench cannot be served.
    """
    task = asyncio.current_task()
    loop = asyncio.get_running_loop()
    if task is not None:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, task.cancel)
    stop_telling = bench.on_change.add(Announcer(bench))
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(bench.run(switch_on))
            await bench.opened()
            # Not before: the phone's file is what only one program at a time has.
            async with serving_bench(bench, folder), screen or contextlib.nullcontext():
                say_ready()
                try:
                    await loop.create_future()
                finally:
                    stop_telling()
    except asyncio.CancelledError:
        return
    except BaseExceptionGroup as several:
        # The first one says enough; the others were stopped because of it.
        raise several.exceptions[0] from None


class Announcer:
    """Says on standard error when the phone is on and when it is off, or a port is gone and back; a Listener."""

    def __init__(self, bench: Workbench) -> None:
        self._bench = bench
        self._was_on = False
        self._troubles: Mapping[str, StartError] = {}

    def __call__(self) -> None:
        """Something changed on the workbench."""
        bench = self._bench
        before, self._troubles = self._troubles, bench.troubles
        for url, trouble in self._troubles.items():
            if url not in before:
                say(f"{trouble.lines}    (the phone tries again by itself)")
        for url in before.keys() - self._troubles:
            say(f"the phone can be reached by {url} again")
        phone = bench.phone
        if phone is None and self._was_on:
            self._was_on = False
            say("the phone is off")
        elif phone is not None and not self._was_on and bench.is_open:
            self._was_on = True
            urls = ", ".join(port.url for port in bench.report().ports)
            say(f"phone '{phone.token.info().label}' is on: {urls}")


def say_ready() -> None:
    """Tell whoever started us, as services do (sd_notify(3)); nobody has to listen."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if address.startswith("/"):
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.sendto(b"READY=1", address)


def say(line: str) -> None:
    """A line for whoever started the phone, which goes on when nobody reads it."""
    with contextlib.suppress(OSError):
        click.echo(line, err=True)
