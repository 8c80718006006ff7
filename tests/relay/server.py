"""A real HTTP(S) server in an office's place, which behaves as a test wants."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

from fob_protocol.relay import MEDIA_TYPE

Behaviour = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


def answer(body: bytes = b"sealed", content_type: str = MEDIA_TYPE) -> Behaviour:
    """200, and these octets."""

    async def behave(request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(body=body, headers={"Content-Type": content_type})

    return behave


def status(number: int, **headers: str) -> Behaviour:
    """An HTTP status without much to it."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}

    async def behave(request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(status=number, text="{}", content_type="application/problem+json", headers=named)

    return behave


async def never(request: web.BaseRequest) -> web.StreamResponse:
    """No answer at all."""
    await asyncio.Event().wait()
    raise AssertionError


async def endless(request: web.BaseRequest) -> web.StreamResponse:
    """An answer without an end."""
    response = web.StreamResponse(headers={"Content-Type": MEDIA_TYPE})
    await response.prepare(request)
    while True:
        await response.write(bytes(8192))


async def hang_up(request: web.BaseRequest) -> web.StreamResponse:
    """The head, half of the promised body, and the end of the connection."""
    response = web.StreamResponse(headers={"Content-Type": MEDIA_TYPE, "Content-Length": "100"})
    await response.prepare(request)
    await response.write(bytes(50))
    assert request.transport is not None
    request.transport.abort()
    return response


@dataclass
class OfficeServer:
    """`behaviours` are used up one by one, the last one stays; `asked` are path and body of each request."""

    behaviours: list[Behaviour]
    url: str = ""
    asked: list[tuple[str, bytes]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        self.asked.append((request.path, await request.read()))
        self.headers.append(dict(request.headers))
        behaviour = self.behaviours.pop(0) if len(self.behaviours) > 1 else self.behaviours[0]
        return await behaviour(request)


@asynccontextmanager
async def office_server(*behaviours: Behaviour, tls: ssl.SSLContext | None = None) -> AsyncIterator[OfficeServer]:
    """Serves at a port of its own on 127.0.0.1."""
    office = OfficeServer(list(behaviours) or [answer()])
    server = web.Server(office.handle, handler_cancellation=True, access_log=None)
    listener = await asyncio.get_running_loop().create_server(server, "127.0.0.1", 0, ssl=tls)
    office.url = f"{'https' if tls else 'http'}://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    try:
        yield office
    finally:
        listener.close()
        await server.shutdown(0.05)
        await listener.wait_closed()
