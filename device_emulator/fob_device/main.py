"""fob-device: run an emulated phone."""

import asyncio
import contextlib
import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import BinaryIO, Final

import click

from fob_device.approval.narrator import FILE, NO_FILE, Narrator
from fob_device.approval.rules import RuleError, Rules, load_rules
from fob_device.errors import StartError, told
from fob_device.factory import factory
from fob_device.memory import Memory
from fob_device.own_office import OwnNetwork, connect
from fob_device.phone import Phone
from fob_device.ports.url import HELP, Port, PortUrlError, open_port
from fob_device.radio.command import radio
from fob_device.serving import say, serve
from fob_device.state import NOT_MADE, NOT_STARTED, make_phone, open_phone
from fob_device.token.logins import Clock
from fob_device.token.pins import check_pin_size
from fob_device.workbench.command import bench
from fob_device.workbench.workbench import Workbench
from fob_protocol.pkcs11.errors import CkrError

# A PIN's line in a file: PINs are shorter, and a line of another file may have any length.
PIN_LINE_LIMIT: Final = 1024
# Where the screen is, on a port that is free.
SCREEN: Final = "127.0.0.1"
USER_PIN: Final = "User PIN"
SO_PIN: Final = "SO PIN"

EXPOSED: Final = (
    "WARNING: {url} can be reached from other machines. Whoever connects can read the phone's name and serial number,\n"
    "         and try to pair; only pairing protects the keys. tcp:127.0.0.1 is for this machine alone."
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="fobd")
def main() -> None:
    """An emulated phone that holds keys and signs for paired computers."""


main.add_command(factory)
main.add_command(radio)
main.add_command(bench)


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
    with told():
        user_pin, so_pin = _read_pins(pins)
        serial = make_phone(state, label=label, user_pin=user_pin, so_pin=so_pin)
    click.echo(f"made phone '{label}', serial number {serial}", err=True)


@main.command()
@click.option("--state", type=click.Path(path_type=Path), required=True, help="Folder made by init.")
@click.option("--port", "ports", multiple=True, required=True, help=HELP)
@click.option("--rules", type=click.Path(path_type=Path, exists=True), help="Headless person: a rule file (TOML).")
@click.option(
    "--screen",
    is_flag=False,
    flag_value=SCREEN,
    metavar="[ADDRESS]",
    help=f"The screen as a page for this machine's browser, at {SCREEN} or ADDRESS: 127.0.0.1:8437, [::1]:8437.",
)
@click.option("--office", metavar="URL", help="A device's own network: its back office, without a computer between.")
@click.option("--office-ca", type=click.Path(path_type=Path), help="Who vouches for that office (PEM).")
def run(
    state: Path,
    ports: tuple[str, ...],
    rules: Path | None,
    screen: str | None,
    office: str | None,
    office_ca: Path | None,
) -> None:
    """Switch the phone on and serve its ports until it is stopped."""
    with told():
        network = OwnNetwork.parse(office, office_ca)
        if screen is not None:
            _run_with_screen(state, ports, rules, screen, network)
            return
        opened = [_open_port(url) for url in ports]
        narrator = Narrator(_load_rules(rules), say, NO_FILE if rules is None else FILE)
        workbench = Workbench(opened)
        asyncio.run(serve(workbench, partial(switched_on, state, narrator, workbench.clock, network), state))


def _run_with_screen(
    state: Path, ports: tuple[str, ...], rules: Path | None, screen: str, network: OwnNetwork | None
) -> None:
    """Raises StartError."""
    if rules is not None:
        raise StartError(NOT_STARTED, "it obeys a rule file, or whoever is at its screen", "fob-device run --help")
    try:
        from fob_device.screen.web.running import run_with_screen
        from fob_device.screen.web.serving import Place, PlaceError
    except ImportError as error:
        why = f"the package {error.name} is missing"
        raise StartError(NOT_STARTED, why, "pip install 'fobd[device]'") from None
    try:
        place = Place.parse(screen)
    except PlaceError as error:
        raise StartError(NOT_STARTED, str(error), "fob-device run --help") from None
    run_with_screen(state, Workbench([_open_port(url) for url in ports]), place, network)


@contextlib.contextmanager
def switched_on(
    state: Path, narrator: Narrator, wall_clock: Clock, network: OwnNetwork | None = None
) -> Iterator[Phone]:
    """The phone of a folder while it has power. Raises StartError."""
    memory = open_phone(state, wall_clock)
    try:
        phone = switch_on(memory, narrator, wall_clock)
        connect(phone, state, network)
        yield phone
    finally:
        memory.close()


def switch_on(memory: Memory, narrator: Narrator, wall_clock: Clock) -> Phone:
    """The phone with this memory and this person."""
    return Phone(
        memory=memory,
        decider=narrator,
        random=os.urandom,
        wall_clock=wall_clock,
        on_paired=[narrator.paired],
        on_pairing_open=[narrator.pairing_opened],
    )


def _open_port(url: str) -> Port:
    try:
        port = open_port(url)
    except PortUrlError as error:
        raise StartError(NOT_STARTED, str(error), "fob-device run --help") from None
    if port.is_exposed:
        click.echo(EXPOSED.format(url=url), err=True)
    return port


def _load_rules(path: Path | None) -> Rules:
    if path is None:
        return Rules()
    try:
        return load_rules(path)
    except RuleError as error:
        raise StartError(NOT_STARTED, str(error), "fob-device run --help") from None
    except (OSError, UnicodeDecodeError) as error:
        raise StartError(NOT_STARTED, f"no rules in {path}: {error}", "fob-device run --help") from None


def _read_pins(pins: BinaryIO | None) -> tuple[bytes, bytes]:
    """The user's and the security officer's, each checked before the next is asked for. Raises StartError."""
    if pins is not None:
        user_pin, so_pin = (pins.readline(PIN_LINE_LIMIT).rstrip(b"\r\n") for _ in (USER_PIN, SO_PIN))
        return _checked(USER_PIN, user_pin), _checked(SO_PIN, so_pin)
    return _typed(USER_PIN), _typed(SO_PIN)


def _typed(name: str) -> bytes:
    """What the person types, checked before they have to repeat it. Raises StartError."""
    pin: bytes = click.prompt(
        name, hide_input=True, confirmation_prompt=True, value_proc=lambda text: _checked(name, os.fsencode(text))
    )
    return pin


def _checked(name: str, pin: bytes) -> bytes:
    try:
        check_pin_size(pin)
    except CkrError as error:
        raise StartError(NOT_MADE, f"{name}: {error.reason}", "fob-device init --help") from None
    return pin
