"""Port URLs."""

from collections.abc import Awaitable, Callable
from typing import Protocol
from urllib.parse import parse_qs, unquote


class PortUrlError(ValueError):
    """The URL names no port."""


class LineHandler(Protocol):
    """What a port drives: a DeviceLine."""

    def data_received(self, data: bytes) -> None: ...
    def hang_up(self) -> None: ...


MakeLine = Callable[[Callable[[bytes], None]], LineHandler]

# Says once that the port can be used.
Opened = Callable[[], None]

# Serves the port until it is cancelled.
Serve = Callable[[MakeLine, Opened], Awaitable[None]]

HELP = "a port is pty:/path/link, serial:/dev/ttyUSB0?baud=115200 or tcp:127.0.0.1:4000"


def open_port(url: str) -> Serve:
    """The port that a URL names; its library is imported only now. Raises PortUrlError."""
    scheme, separator, rest = url.partition(":")
    path, _, query = rest.partition("?")
    if not separator or not path:
        raise PortUrlError(f"'{url}': {HELP}")
    match scheme:
        case "pty":
            from fob_device.ports.pty import serve_pty

            return lambda make_line, opened: serve_pty(unquote(path), make_line, opened)
        case "serial":
            from fob_device.ports.serial import serve_serial

            baud = _number(url, parse_qs(query).get("baud", ["115200"])[0])
            return lambda make_line, opened: serve_serial(unquote(path), baud, make_line, opened)
        case "tcp":
            from fob_device.ports.tcp import serve_tcp

            host, _, port = path.rpartition(":")
            number = _number(url, port)
            return lambda make_line, opened: serve_tcp(host, number, make_line, opened)
        case _:
            raise PortUrlError(f"'{url}': {HELP}")


def _number(url: str, text: str) -> int:
    if not text.isdigit():
        raise PortUrlError(f"'{url}': '{text}' is no number")
    return int(text)
