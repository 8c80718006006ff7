"""fob-device: run an emulated phone."""

import asyncio
import contextlib
import os
import signal
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

import click

from fob_device.approval.rules import RuleError, Rules, load_rules
from fob_device.errors import StartError
from fob_device.line.device_line import DeviceLine
from fob_device.memory import Memory
from fob_device.phone import Phone
from fob_device.ports.url import HELP, PortUrlError, Serve, open_port
from fob_device.state import make_phone, open_phone

# A PIN's line in a file: PINs are shorter, and a line of another file may have any length.
PIN_LINE_LIMIT: Final = 1024


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="fobd")
def main() -> None:
    """An emulated phone that holds keys and signs for paired computers."""


@main.command()
@click.option("--state", type=click.Path(path_type=Path), required=True, help="Folder for the phone's memory.")
@click.option("--label", default="Fob phone", show_default=True, help="The token's name, up to 32 characters.")
@click.option(
    "--pins",
    type=click.File("rb"),
    help="File with the user PIN on its first line and the SO PIN on its second; - for standard input.",
)
def init(state: Path, label: str, pins: BinaryIO | None) -> None:
    """Make a new phone: a root key, an identity, and an empty token with its PINs."""
    user_pin, so_pin = _read_pins(pins)
    with told():
        serial = make_phone(state, label=label, user_pin=user_pin, so_pin=so_pin)
    click.echo(f"made phone '{label}', serial number {serial}", err=True)


@main.command()
@click.option("--state", type=click.Path(path_type=Path), required=True, help="Folder made by init.")
@click.option("--port", "ports", multiple=True, required=True, help=HELP)
@click.option("--rules", type=click.Path(path_type=Path, exists=True), help="Headless person: a rule file (TOML).")
def run(state: Path, ports: tuple[str, ...], rules: Path | None) -> None:
    """Switch the phone on and serve its ports until it is stopped."""
    with told():
        try:
            servers = [open_port(url) for url in ports]
            decider = load_rules(rules) if rules else Rules()
        except (PortUrlError, RuleError) as error:
            raise StartError("the phone did not start", str(error), "fob-device run --help") from None
        memory = open_phone(state)
        try:
            click.echo(f"phone '{memory.token.info().label}' is on: {', '.join(ports)}", err=True)
            asyncio.run(serve(switch_on(memory, decider), servers))
        finally:
            memory.close()


def switch_on(memory: Memory, decider: Rules) -> Phone:
    """The phone with this memory and this person."""
    return Phone(
        token=memory.token,
        identity=memory.identity,
        pairings=memory.pairings,
        decider=decider,
        random=os.urandom,
        wall_clock=time.time,
    )


async def serve(phone: Phone, servers: list[Serve]) -> None:
    """Serve every port until SIGTERM or SIGINT."""
    task = asyncio.current_task()
    loop = asyncio.get_running_loop()
    if task is not None:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, task.cancel)
    opened = [asyncio.Event() for _ in servers]
    with contextlib.suppress(asyncio.CancelledError):
        async with asyncio.TaskGroup() as group:
            for server, event in zip(servers, opened, strict=True):
                group.create_task(_serve_one(phone, server, event))
            for event in opened:
                await event.wait()
            say_ready()


async def _serve_one(phone: Phone, server: Serve, opened: asyncio.Event) -> None:
    await server(lambda write: DeviceLine(phone, write), opened.set)


def say_ready() -> None:
    """Tell whoever started us, as services do (sd_notify(3)); nobody has to listen."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if address.startswith("/"):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.sendto(b"READY=1", address)


def _read_pins(pins: BinaryIO | None) -> tuple[bytes, bytes]:
    if pins is not None:
        return pins.readline(PIN_LINE_LIMIT).rstrip(b"\r\n"), pins.readline(PIN_LINE_LIMIT).rstrip(b"\r\n")
    user_pin, so_pin = (
        click.prompt(user, hide_input=True, confirmation_prompt=True, type=str) for user in ("User PIN", "SO PIN")
    )
    return os.fsencode(user_pin), os.fsencode(so_pin)


@contextlib.contextmanager
def told() -> Iterator[None]:
    """What keeps the phone from starting is told in three lines, and the exit status is 1."""
    try:
        yield
    except StartError as error:
        click.echo(f"error: {error.what}\nwhy:   {error.why}\ntry:   {error.command}", err=True)
        sys.exit(1)
