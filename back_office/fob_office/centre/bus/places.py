"""Where a process answers: `unix:/run/fob/meter-1` or `tcp:10.0.0.7:7300`."""

import asyncio
import os
from collections.abc import Callable
from typing import Final

from fob_office.centre.bus.channel import Channel
from fob_office.errors import UsageError
from fob_office.listening import parse_place
from fob_office.secrets.private_file import OWNER_ONLY

_UNIX: Final = "unix:"
_TCP: Final = "tcp:"
_BACKLOG: Final = 128


def _split(address: str) -> str | tuple[str, int]:
    """A path, or host and port. Raises UsageError."""
    if address.startswith(_UNIX) and len(address) > len(_UNIX):
        return address.removeprefix(_UNIX)
    if address.startswith(_TCP):
        return parse_place(address.removeprefix(_TCP))
    raise UsageError(
        "it is not known where a process answers", f"'{address}' is neither unix:PATH nor tcp:HOST:PORT", "fob-office"
    )


async def connect(address: str, make: Callable[[], Channel]) -> Channel:
    """A channel whose handshake has begun. Raises OSError, UsageError."""
    loop = asyncio.get_running_loop()
    place = _split(address)
    if isinstance(place, str):
        return (await loop.create_unix_connection(make, place))[1]
    host, port = place
    return (await loop.create_connection(make, host, port))[1]


async def listen(address: str, make: Callable[[], Channel]) -> tuple[asyncio.Server, str]:
    """A server, and its address with the port that it got. Raises OSError, UsageError."""
    loop = asyncio.get_running_loop()
    place = _split(address)
    if isinstance(place, str):
        listening = await loop.create_unix_server(make, place, backlog=_BACKLOG)
        os.chmod(place, OWNER_ONLY)
        return listening, address
    host, port = place
    server = await loop.create_server(make, host, port, backlog=_BACKLOG)
    port = server.sockets[0].getsockname()[1]
    return server, f"{_TCP}[{host}]:{port}" if ":" in host else f"{_TCP}{host}:{port}"


async def close_listener(listener: asyncio.Server) -> None:
    """Nobody is accepted any more; who was, has a channel.

    asyncio (3.11) leaves a socket open that it accepted in the turn of the loop in which its server is closed.
    """
    loop = asyncio.get_running_loop()
    for listening in listener.sockets:
        loop.remove_reader(listening.fileno())
    await asyncio.sleep(0)
    listener.close()
