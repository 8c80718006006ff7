"""`fob-device radio`: the virtual radio as a program of its own."""

import asyncio
import contextlib
import os
import shlex
import signal
from collections.abc import Iterator
from typing import Final

import click

from fob_device.errors import StartError, told

SOCKET_PREFIX: Final = "unix:"

# What listens is for this user alone.
PRIVATE: Final = 0o077


def _socket_path(_context: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    if value is None:
        return None
    path = value.removeprefix(SOCKET_PREFIX)
    if path == value or not path:
        raise click.BadParameter("a socket is unix:/path")
    return path


@click.command()
@click.option("--listen", callback=_socket_path, required=True, help="Where hosts connect their HCI: unix:/path.")
@click.option("--control", callback=_socket_path, help="Where distance, loss and counters are asked for: unix:/path.")
@click.option("--interval", type=click.FloatRange(7.5, 4000), default=30, show_default=True, help="Milliseconds.")
@click.option("--loss", type=click.FloatRange(0, 1, max_open=True), default=0, show_default=True, help="Probability.")
@click.option("--seed", type=int, default=0, show_default=True, help="Which packets are lost.")
def radio(listen: str, control: str | None, interval: float, loss: float, seed: int) -> None:
    """A virtual Bluetooth radio, for machines that have none: devices and computers connect to it by sockets."""
    os.umask(PRIVATE)
    with told():
        asyncio.run(_serve(listen, control, interval / 1000, loss, seed))


async def _serve(listen: str, control: str | None, interval: float, loss: float, seed: int) -> None:
    # The stack behind these takes half a second to import; the device's other commands do without.
    from fob_device.radio.control import ControlSocket
    from fob_device.radio.radio import Radio
    from fob_device.radio.server import serve_hosts
    from fob_device.serving import say_ready

    air = Radio(interval=interval, loss=loss, seed=seed)
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    async with contextlib.AsyncExitStack() as stack:
        with _refusing(listen):
            await stack.enter_async_context(await serve_hosts(air, listen))
        if control is not None:
            with _refusing(control):
                await stack.enter_async_context(await ControlSocket(air).listen(control))
        say_ready()
        await stopped.wait()


@contextlib.contextmanager
def _refusing(path: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        why, look = error.strerror or str(error), f"ls -la {shlex.quote(os.path.dirname(path) or '.')}"
        raise StartError(f"the radio cannot listen at {path}", why, look) from None
