"""How much a browser, or what pretends to be one, may send, hold and follow."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest

from fob_device.screen.web.limits import BODY_LIMIT, CONNECTIONS_LIMIT, STREAMS_LIMIT
from support.screen_scene import Scene

CHANGED = b"event: changed\ndata: 1\n\n"


@asynccontextmanager
async def following(scene: Scene) -> AsyncIterator[aiohttp.StreamReader]:
    """A page that is open; it has heard that it may have missed something."""
    async with aiohttp.ClientSession() as http, http.get(f"{scene.address}events") as stream:
        assert stream.content_type == "text/event-stream"
        assert await read(stream.content) == CHANGED
        yield stream.content


async def read(stream: aiohttp.StreamReader) -> bytes:
    async with asyncio.timeout(5):
        return await stream.readuntil(b"\n\n")


async def test_a_page_hears_of_every_change(scene: Scene) -> None:
    async with following(scene) as first, following(scene) as second:
        for change in (scene.unlock, scene.ask, lambda: scene.post("lock"), lambda: scene.post("workbench/calm")):
            await change()
            for stream in (first, second):
                assert await read(stream) == CHANGED


async def test_streams_are_bounded(scene: Scene) -> None:
    async with asyncio.timeout(20):
        async with following(scene):
            others = [following(scene) for _ in range(STREAMS_LIMIT - 1)]
            for other in others:
                await other.__aenter__()
            assert (await scene.get("events")).status == 503
            for other in others:
                await other.__aexit__(None, None, None)
        # A page that is closed leaves its place at once.
        async with following(scene):
            pass


async def test_forms_are_bounded(scene: Scene) -> None:
    assert (await scene.post("unlock", {"pin": "1" * BODY_LIMIT})).status == 400
    assert (await scene.post("unlock", {"pin": "1" * 64})).path == "unlock?wrong"


async def test_a_form_that_does_not_come_is_given_up(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fob_device.screen.web.site.BODY_TIME", 0.05)
    host, port = scene.origin.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    path = scene.address.removeprefix(scene.origin)
    head = f"POST {path}unlock HTTP/1.1\r\nHost: {host}:{port}\r\nOrigin: {scene.origin}\r\n"
    body = "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 20\r\n\r\npin=12"
    writer.write((head + body).encode())
    assert (await reader.readline()).startswith(b"HTTP/1.1 400 ")
    writer.close()
    await writer.wait_closed()


async def test_who_only_sits_there_makes_room(scene: Scene) -> None:
    host, port = scene.origin.removeprefix("http://").split(":")
    idle = [await asyncio.open_connection(host, int(port)) for _ in range(CONNECTIONS_LIMIT + 8)]
    assert (await scene.get()).status == 200
    assert await idle[0][0].read() == b""
    for _, writer in idle:
        writer.close()


@pytest.mark.parametrize(
    "head", ["GET /" + "a" * 2000 + " HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\nA: " + "a" * 9000, "\0" * 9000]
)
async def test_what_is_no_request_of_a_browser_ends_its_connection(scene: Scene, head: str) -> None:
    host, port = scene.origin.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(head.encode())
    async with asyncio.timeout(5):
        assert b"400" in await reader.readline()
        await reader.read()
    writer.close()


async def test_a_fault_of_the_program_is_answered_and_told_to_who_started_it(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("fob_device.screen.web.site.page_at", lambda *arguments: 1 / 0)
    seen = await scene.get()
    assert (seen.status, seen.text) == (500, "The phone failed.\n")
    assert "ZeroDivisionError" in caplog.text


async def test_no_pin_and_no_token_is_logged(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(0)
    await scene.post("unlock", {"pin": "98127634"})
    await scene.get("nope")
    token = scene.address.rsplit("/", 2)[1]
    said = [record.getMessage() for record in caplog.records if record.name.startswith(("fob", "aiohttp"))]
    assert not [line for line in said if "98127634" in line or token in line]
