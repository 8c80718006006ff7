"""Port URLs: scheme:place?option=value."""

import ipaddress
import os
import re
import shlex
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final
from urllib.parse import unquote

from fob_device.errors import needs_radio_package
from fob_device.line.phone_lines import PhoneLines
from fob_device.state import NOT_STARTED
from fob_protocol.link.controller import Controller, ControllerError
from fob_protocol.link.line_options import TCP_PORT_MAXIMUM, LineOptionError, read_baud, read_number, read_options


class PortUrlError(ValueError):
    """The URL names no port."""


class PortLostError(OSError):
    """The port was there and is gone; it may come back."""


# Says that the port can be used.
Opened = Callable[[], None]

# Serves the port until it is cancelled. Raises OSError when the port cannot be had, PortLostError when it is gone.
Serve = Callable[[PhoneLines, Opened], Awaitable[None]]

HELP: Final = (
    "a port is pty:/path/link, serial:/dev/ttyUSB0?baud=115200, tcp:127.0.0.1:4000, tcp:[::1]:4000,"
    " ble:hci-socket:0, ble:usb:0 or ble:unix-client:/path"
)

_HOST_AND_PORT: Final = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})*)):([0-9]+)")


@dataclass(frozen=True, slots=True)
class Port:
    """A way to the phone. `look`: a command that shows what else is at its place."""

    url: str
    serve: Serve
    look: str
    is_exposed: bool = False


def open_port(url: str) -> Port:
    """The port that a URL names; its library is imported only now. Raises PortUrlError, StartError without it."""
    scheme, _, rest = url.partition(":")
    place, _, query = rest.partition("?")
    place = unquote(place)
    if scheme not in SCHEMES or not place or "\0" in place:
        raise PortUrlError(f"'{url}': {HELP}")
    try:
        return SCHEMES[scheme](url, place, query)
    except (PortUrlError, LineOptionError, ControllerError) as error:
        raise PortUrlError(f"'{url}': {error}") from None


def _open_pty(url: str, path: str, query: str) -> Port:
    from fob_device.ports.pty import serve_pty

    read_options(query)
    return Port(url, partial(serve_pty, path), _listing(path))


def _open_serial(url: str, path: str, query: str) -> Port:
    from fob_device.ports.serial import serve_serial

    return Port(url, partial(serve_serial, path, read_baud(query)), _listing(path))


def _open_tcp(url: str, place: str, query: str) -> Port:
    from fob_device.ports.tcp import serve_tcp

    read_options(query)
    match = _HOST_AND_PORT.fullmatch(place)
    if match is None:
        raise PortUrlError(HELP)
    host, port = match[1] or match[2], read_number("port", match[3], 1, TCP_PORT_MAXIMUM)
    look = f"ss -ltnp 'sport = :{port}'"
    return Port(url, partial(serve_tcp, host, port), look, is_exposed=not _is_loopback(host))


def _open_ble(url: str, name: str, query: str) -> Port:
    read_options(query)
    controller = Controller.parse(name)
    with needs_radio_package(NOT_STARTED):
        from fob_device.ports.ble.port import serve_ble
    return Port(url, partial(serve_ble, name), controller.look)


SCHEMES: Final[Mapping[str, Callable[[str, str, str], Port]]] = {
    "pty": _open_pty,
    "serial": _open_serial,
    "tcp": _open_tcp,
    "ble": _open_ble,
}


def _listing(path: str) -> str:
    return f"ls -ld {shlex.quote(os.path.dirname(path) or '.')} {shlex.quote(path)}"


def _is_loopback(host: str) -> bool:
    """False for an address that other machines may reach, and for a name, whose addresses are not known here."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
