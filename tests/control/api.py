"""A client of the control API for the tests: plain requests and streams."""

from collections.abc import AsyncIterator
from typing import Any

import aiohttp

from fob_daemon.control.sse import EventReader, ServerEvent


class Api:
    """Paths without /v1/."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self.session = session

    async def get(self, path: str) -> tuple[int, Any]:
        async with self.session.get(f"/v1/{path}") as response:
            return response.status, await response.json()

    async def post(self, path: str, body: object) -> tuple[int, Any]:
        async with self.session.post(f"/v1/{path}", json=body) as response:
            return response.status, await response.json()

    async def delete(self, path: str, body: object = None) -> tuple[int, Any]:
        async with self.session.delete(f"/v1/{path}", json=body or {}) as response:
            return response.status, await response.json()


async def events(response: aiohttp.ClientResponse) -> AsyncIterator[ServerEvent]:
    """The events of a stream, as they come."""
    reader = EventReader()
    async for line in response.content:
        for event in reader.feed(line):
            yield event


async def next_event(stream: AsyncIterator[ServerEvent]) -> tuple[str, Any]:
    event = await anext(stream)
    return event.name, event.data
