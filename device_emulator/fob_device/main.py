"""fob-device: run an emulated phone."""

import asyncio
import contextlib
import os
import signal
import socket
import sys
import time
from pathlib import Path
from typing import Final, NoReturn, TextIO

import click

from fob_device.approval.rules import RuleError, Rules, load_rules
from fob_device.line.device_line import DeviceLine
from fob_device.pairings import Pairings, load_identity, load_secret
from fob_device.phone import Phone
from fob_device.ports.url import HELP, PortUrlError, Serve, open_port
from fob_device.token.token import Token
from fob_protocol.pkcs11.errors import CkrError

TOKEN_FILE: Final = "token.db"  # noqa: S105 - a file's name
ROOT_KEY_FILE: Final = "root.key"
IDENTITY_FILE: Final = "identity.key"
PAIRINGS_FILE: Final = "pairings.json"
ROOT_KEY_SIZE: Final = 32


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="fobd")
def main() -> None:
    """An emulated phone that holds keys and signs for paired computers."""


@main.command()
@click.option("--state", type=click.Path(path_type=Path), required=True, help="Folder for the phone's memory.")
@click.option("--label", default="Fob phone", show_default=True, help="The token's name, up to 32 characters.")
@click.option(
    "--pins",
    type=click.File("r"),
    help="File with the user PIN on its first line and the SO PIN on its second; - for standard input.",
)
def init(state: Path, label: str, pins: TextIO | None) -> None:
    """Make a new phone: a root key, an identity, and an empty token with its PINs."""
    if (state / TOKEN_FILE).exists():
        fail(f"{state} holds a phone already", "a phone is never overwritten", f"fob-device run --state {state} ...")
    user_pin, so_pin = _read_pins(pins)
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    root_key = load_secret(state / ROOT_KEY_FILE, ROOT_KEY_SIZE, os.urandom)
    try:
        token = Token.create(
            state / TOKEN_FILE,
            root_key=root_key,
            label=label,
            so_pin=so_pin,
            user_pin=user_pin,
            random=os.urandom,
            clock=time.time,
        )
    except CkrError as error:
        fail("the token was not made", str(error), "fob-device init --help")
    load_identity(state / IDENTITY_FILE, os.urandom)
    click.echo(f"made phone '{label}', serial number {token.info().serial}", err=True)
    token.close()


@main.command()
@click.option("--state", type=click.Path(path_type=Path, exists=True), required=True, help="Folder made by init.")
@click.option("--port", "ports", multiple=True, required=True, help=HELP)
@click.option("--rules", type=click.Path(path_type=Path, exists=True), help="Headless person: a rule file (TOML).")
def run(state: Path, ports: tuple[str, ...], rules: Path | None) -> None:
    """Switch the phone on and serve its ports until it is stopped."""
    try:
        servers = [open_port(url) for url in ports]
        decider = load_rules(rules) if rules else Rules()
    except (PortUrlError, RuleError) as error:
        fail("the phone did not start", str(error), "fob-device run --help")
    try:
        phone = switch_on(state, decider)
    except (OSError, ValueError) as error:
        fail("the phone did not start", str(error), f"fob-device init --state {state}")
    click.echo(f"phone '{phone.token.info().label}' is on: {', '.join(ports)}", err=True)
    try:
        asyncio.run(serve(phone, servers))
    finally:
        phone.token.close()


def switch_on(state: Path, decider: Rules) -> Phone:
    """The phone in a folder. Raises OSError or ValueError when something is missing or damaged."""
    if not (state / TOKEN_FILE).exists():
        raise FileNotFoundError(f"{state} holds no phone")
    root_key = load_secret(state / ROOT_KEY_FILE, ROOT_KEY_SIZE, os.urandom)
    return Phone(
        token=Token.open(state / TOKEN_FILE, root_key=root_key, random=os.urandom, clock=time.time),
        identity=load_identity(state / IDENTITY_FILE, os.urandom),
        pairings=Pairings.load(state / PAIRINGS_FILE),
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


def _read_pins(pins: TextIO | None) -> tuple[bytes, bytes]:
    if pins is None:
        user_pin = click.prompt("User PIN", hide_input=True, confirmation_prompt=True)
        so_pin = click.prompt("SO PIN", hide_input=True, confirmation_prompt=True)
    else:
        user_pin, so_pin = (pins.readline().rstrip("\n") for _ in range(2))
    return str(user_pin).encode(), str(so_pin).encode()


def fail(what: str, why: str, command: str) -> NoReturn:
    """Three lines, and exit status 1."""
    click.echo(f"error: {what}\nwhy:   {why}\ntry:   {command}", err=True)
    sys.exit(1)
