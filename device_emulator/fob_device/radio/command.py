"""`fob-device radio`: the virtual radio as a program of its own."""

import asyncio
import contextlib
import os
import shlex
import signal
from collections.abc import Iterator
from typing import Final

import click

from fob_device.errors import StartError, needs_radio_package, told
from fob_device.radio.options import NOT_STARTED, Options
from fob_device.radio.place import listening_place

# What listens is for this user alone.
PRIVATE: Final = 0o077


@click.command()
@click.option("--listen", required=True, help="Where hosts connect their HCI: unix:/path.")
@click.option("--control", help="Where distance, loss and counters are asked for: unix:/path.")
@click.option(
    "--interval", metavar="MS", default="30", show_default=True, help="Connections begin with: 7.5 to 4000 ms."
)
@click.option("--hold", is_flag=True, help="Refuse every other interval.")
@click.option("--loss", metavar="P", default="0", show_default=True, help="Probability, from 0 to below 1.")
@click.option("--seed", type=int, default=0, show_default=True, help="Which packets are lost.")
def radio(listen: str, control: str | None, interval: str, hold: bool, loss: str, seed: int) -> None:
    """A virtual Bluetooth radio, for machines that have none: devices and computers connect to it by sockets."""
    os.umask(PRIVATE)
    with told():
        asyncio.run(_serve(Options.read(listen, control, interval, hold, loss, seed)))


async def _serve(options: Options) -> None:
    with contextlib.ExitStack() as places:
        # Before the rest is loaded, which takes half a second: who is refused is told at once.
        for path in filter(None, (options.listen, options.control)):
            with _refusing(path):
                places.enter_context(listening_place(path))
        await _serve_at_places(options)


async def _serve_at_places(options: Options) -> None:
    # The stack behind these takes half a second to import; the device's other commands do without.
    with needs_radio_package(NOT_STARTED):
        from fob_device.radio.control import control_socket
        from fob_device.radio.radio import Radio
        from fob_device.radio.server import serve_hosts
    from fob_device.serving import say_ready

    air = Radio(interval=options.interval, hold=options.hold, loss=options.loss, seed=options.seed)
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    async with contextlib.AsyncExitStack() as stack:
        with _refusing(options.listen):
            await stack.enter_async_context(await serve_hosts(air, options.listen, _say))
        if options.control is not None:
            with _refusing(options.control):
                await stack.enter_async_context(control_socket(air).serving(options.control))
        say_ready()
        await stopped.wait()


def _say(line: str) -> None:
    click.echo(line, err=True)


@contextlib.contextmanager
def _refusing(path: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        why, look = error.strerror or str(error), f"ls -la {shlex.quote(os.path.dirname(path) or '.')}"
        raise StartError(f"the radio cannot listen at {path}", why, look) from None
