"""The page's place on this machine: an address that nobody else finds, and nobody elsewhere reaches."""

import asyncio
import base64
import contextlib
import ipaddress
import re
import socket
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Final

from fob_device.errors import StartError
from fob_device.screen.web.door import Door
from fob_device.screen.web.http_server import HttpServer
from fob_device.screen.web.limits import CONNECTIONS_LIMIT, STOP_TIME, TOKEN_SIZE
from fob_device.screen.web.shown import Shown
from fob_device.screen.web.site import Site

HELP: Final = "127.0.0.1 or [::1], with :PORT behind it or without"
PORT_MAXIMUM: Final = 65_535

_PLACE: Final = re.compile(r"(?:\[([0-9a-f:]+)\]|([0-9.]+))(?::([0-9]{1,5}))?")


class PlaceError(ValueError):
    """No address of this machine alone; the text says why."""


@dataclass(frozen=True, slots=True)
class Place:
    """`port` 0: any that is free."""

    host: str
    port: int = 0

    @classmethod
    def parse(cls, text: str) -> "Place":
        """Of `127.0.0.1:8437`, `[::1]`. Raises PlaceError."""
        match = _PLACE.fullmatch(text)
        try:
            address = ipaddress.ip_address((match[1] or match[2]) if match else text)
        except ValueError:
            raise PlaceError(f"'{text}' is not {HELP}") from None
        if not address.is_loopback:
            raise PlaceError(f"'{text}' can be reached from other machines: the screen is at {HELP}")
        number = int(match[3] or 0) if match else 0
        if number > PORT_MAXIMUM:
            raise PlaceError(f"'{text}': a port is a number from 0 to {PORT_MAXIMUM}")
        return cls(str(address), number)


def host_and_port(host: str, port: int) -> str:
    """As a browser writes it."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


@contextlib.asynccontextmanager
async def serving_screen(shown: Shown, place: Place, random: Callable[[int], bytes]) -> AsyncIterator[str]:
    """Serve the page within the block; its address, which lets in whoever knows it. Raises StartError."""
    token = base64.urlsafe_b64encode(random(TOKEN_SIZE)).decode().rstrip("=")
    with _listening_socket(place) as listener:
        door = Door(host_and_port(place.host, listener.getsockname()[1]), token)
        http = HttpServer(Site(shown, door).answer)
        server = await asyncio.get_running_loop().create_server(http, sock=listener, backlog=CONNECTIONS_LIMIT)
        try:
            yield door.address
        finally:
            server.close()
            http.pre_shutdown()
            await http.shutdown(STOP_TIME)
            await server.wait_closed()


def _listening_socket(place: Place) -> socket.socket:
    family = socket.AF_INET6 if ":" in place.host else socket.AF_INET
    try:
        return socket.create_server((place.host, place.port), family=family)
    except OSError as error:
        where = host_and_port(place.host, place.port)
        why, look = error.strerror or str(error), f"ss -ltnp 'sport = :{place.port}'"
        raise StartError(f"the screen cannot be served at {where}", why, look) from None
