"""The way from a daemon to its office, over real HTTP: each exchange is counted, and at one of them somebody dies."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import StrEnum

import aiohttp
from aiohttp import web

from fob_protocol.relay import MEDIA_TYPE


class Moment(StrEnum):
    """Of an exchange."""

    # The question has left the daemon, and never reaches the office.
    BEFORE = "before the office has seen it"
    # The office has done it, and the daemon has not heard.
    AFTER = "after the office has done it"


@dataclass(frozen=True, slots=True)
class Strike:
    """At exchange `number` (from 1) `deed` is done; whether the answer goes on then is `answers`."""

    number: int
    moment: Moment
    deed: Callable[[], None]
    answers: bool


@dataclass
class Gate:
    """`asked` are the services of the exchanges that began, `answered` those whose answer went back.

    `questions` and `answers` are their sizes in octets, sealed.
    """

    office: str = ""
    url: str = ""
    asked: list[str] = field(default_factory=list)
    answered: list[str] = field(default_factory=list)
    questions: list[int] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    strike: Strike | None = None
    struck: asyncio.Event = field(default_factory=asyncio.Event)
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    async def until_answered(self, service: str, times: int = 1) -> None:
        """Wait until so many answers of a service have gone back."""
        while self.answered.count(service) < times:
            self._news.clear()
            await self._news.wait()

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """One exchange."""
        service = request.path.removeprefix("/v1/")
        self.asked.append(service)
        strike = self.strike if self.strike and self.strike.number == len(self.asked) else None
        question = await request.read()
        self.questions.append(len(question))
        if strike and strike.moment is Moment.BEFORE:
            self._do(strike)
            return _hang_up(request)
        try:
            answer = await self._pass_on(request.path, question)
        except aiohttp.ClientError:
            return _hang_up(request)
        if strike:
            self._do(strike)
            return answer if strike.answers else _hang_up(request)
        self.answered.append(service)
        self._news.set()
        return answer

    def _do(self, strike: Strike) -> None:
        strike.deed()
        self.struck.set()

    async def _pass_on(self, path: str, question: bytes) -> web.Response:
        """Raises aiohttp.ClientError. Each on a connection of its own: the office of before may be dead."""
        async with (
            aiohttp.ClientSession(headers={"Content-Type": MEDIA_TYPE, "Connection": "close"}) as client,
            client.post(f"{self.office}{path}", data=question) as answer,
        ):
            body = await answer.read()
            self.answers.append(len(body))
            return web.Response(status=answer.status, body=body, content_type=answer.content_type)


@asynccontextmanager
async def open_gate() -> AsyncIterator[Gate]:
    """At a port of its own on 127.0.0.1; set `office` before anything is asked."""
    gate = Gate()
    server = web.Server(gate.handle, access_log=None)
    listener = await asyncio.get_running_loop().create_server(server, "127.0.0.1", 0)
    gate.url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    try:
        yield gate
    finally:
        listener.close()
        await server.shutdown(0.05)
        await listener.wait_closed()


def _hang_up(request: web.BaseRequest) -> web.StreamResponse:
    """Without a word, as whoever is dead."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()
