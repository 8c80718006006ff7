"""Port URLs: scheme:place?option=value."""

import ipaddress
import os
import re
import shlex
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final, Protocol
from urllib.parse import parse_qsl, unquote

from fob_device.line.phone_lines import PhoneLines


class PortUrlError(ValueError):
    """The URL names no port."""


class LineHandler(Protocol):
    """What a port drives: a DeviceLine."""

    def data_received(self, data: bytes) -> None: ...
    def hang_up(self) -> None: ...


MakeLine = Callable[[Callable[[bytes], None]], LineHandler]

# Says once that the port can be used.
Opened = Callable[[], None]

# Serves the port until it is cancelled. Raises OSError when the port cannot be had.
Serve = Callable[[PhoneLines, Opened], Awaitable[None]]

HELP: Final = (
    "a port is pty:/path/link, serial:/dev/ttyUSB0?baud=115200, tcp:127.0.0.1:4000, tcp:[::1]:4000,"
    " ble:hci-socket:0, ble:usb:0 or ble:unix-client:/path"
)

# The fastest that Linux has a constant for (termios.h).
BAUD_LIMIT: Final = 4_000_000
DEFAULT_BAUD: Final = "115200"
TCP_PORT_LIMIT: Final = 65_535

# Bluetooth controllers as bumble names them, and what shows whether one is there.
CONTROLLERS: Final[Mapping[str, str]] = {
    "hci-socket": "ls -l /sys/class/bluetooth/hci{}",
    "usb": "lsusb",
    "serial": "ls -l {}",
    "tcp-client": "getent hosts {}",
    "unix-client": "ls -l {}",
}

_HOST_AND_PORT: Final = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})*)):([0-9]+)")


@dataclass(frozen=True, slots=True)
class Port:
    """A way to the phone. `look`: a command that shows what else is at its place."""

    url: str
    serve: Serve
    look: str
    is_exposed: bool = False


def open_port(url: str) -> Port:
    """The port that a URL names; its library is imported only now. Raises PortUrlError."""
    scheme, _, rest = url.partition(":")
    place, _, query = rest.partition("?")
    place = unquote(place)
    if scheme not in SCHEMES or not place or "\0" in place:
        raise PortUrlError(f"'{url}': {HELP}")
    try:
        return SCHEMES[scheme](url, place, dict(parse_qsl(query, keep_blank_values=True)))
    except PortUrlError as error:
        raise PortUrlError(f"'{url}': {error}") from None


def _open_pty(url: str, path: str, options: Mapping[str, str]) -> Port:
    from fob_device.ports.pty import serve_pty

    _only(options)
    return Port(url, partial(serve_pty, path), _listing(path))


def _open_serial(url: str, path: str, options: Mapping[str, str]) -> Port:
    from fob_device.ports.serial import serve_serial

    _only(options, "baud")
    baud = _number("baud", options.get("baud", DEFAULT_BAUD), BAUD_LIMIT)
    return Port(url, partial(serve_serial, path, baud), _listing(path))


def _open_tcp(url: str, place: str, options: Mapping[str, str]) -> Port:
    from fob_device.ports.tcp import serve_tcp

    _only(options)
    match = _HOST_AND_PORT.fullmatch(place)
    if match is None:
        raise PortUrlError(HELP)
    host, port = match[1] or match[2], _number("port", match[3], TCP_PORT_LIMIT)
    look = f"ss -ltnp 'sport = :{port}'"
    return Port(url, partial(serve_tcp, host, port), look, is_exposed=not _is_loopback(host))


def _open_ble(url: str, controller: str, options: Mapping[str, str]) -> Port:
    _only(options)
    kind, _, place = controller.partition(":")
    if kind not in CONTROLLERS or not place:
        raise PortUrlError(f"a controller is one of {', '.join(CONTROLLERS)}, a colon, and which")
    try:
        from fob_device.ports.ble.port import serve_ble
    except ImportError as error:
        raise PortUrlError(f"the package {error.name} is missing: pip install 'fobd[radio]'") from None
    return Port(url, partial(serve_ble, controller), CONTROLLERS[kind].format(shlex.quote(place)))


SCHEMES: Final[Mapping[str, Callable[[str, str, Mapping[str, str]], Port]]] = {
    "pty": _open_pty,
    "serial": _open_serial,
    "tcp": _open_tcp,
    "ble": _open_ble,
}


def _listing(path: str) -> str:
    return f"ls -ld {shlex.quote(os.path.dirname(path) or '.')} {shlex.quote(path)}"


def _only(options: Mapping[str, str], *known: str) -> None:
    for name in options:
        if name not in known:
            raise PortUrlError(f"this kind of port has no option '{name}'")


def _number(name: str, text: str, limit: int) -> int:
    # The length first: Python refuses to read a number of thousands of digits.
    if not (text.isascii() and text.isdecimal() and len(text) < 10 and 1 <= int(text) <= limit):
        raise PortUrlError(f"{name} is a number from 1 to {limit}")
    return int(text)


def _is_loopback(host: str) -> bool:
    """False for an address that other machines may reach, and for a name, whose addresses are not known here."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
