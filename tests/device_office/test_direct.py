"""A device with a network of its own posts the same octets itself."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from aiohttp import web

from fob_device.office.carrier import NotCarried, NotCarriedError
from fob_device.office.direct import Direct
from fob_device.office.progress import Told
from fob_protocol.office.limits import ANSWER_LIMIT
from fob_protocol.relay import MEDIA_TYPE

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


async def asked(handler: Handler) -> bytes:
    """What comes of one question to a server that does this."""
    application = web.Application()
    application.router.add_post("/office/v1/directory", handler)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    direct = Direct(f"http://127.0.0.1:{port}/office/", None)
    try:
        return await direct.carry("directory", b"question", Told())
    finally:
        await direct.close()
        await runner.cleanup()


@pytest.mark.clause("C15")
async def test_the_same_octets_go_to_the_same_place() -> None:
    async def answer(request: web.Request) -> web.Response:
        assert request.headers["Content-Type"] == MEDIA_TYPE
        return web.Response(body=b"answer to " + await request.read(), content_type="application/cose")

    assert await asked(answer) == b"answer to question"


@pytest.mark.parametrize(
    ("status", "headers", "seconds"),
    [(503, {"Retry-After": "7"}, 7), (429, {"Retry-After": "9" * 9}, 86_400), (400, {}, None),
     (503, {"Retry-After": "soon"}, None), (302, {"Location": "/elsewhere"}, None)],
)  # fmt: skip
async def test_another_status_is_no_answer(status: int, headers: dict[str, str], seconds: int | None) -> None:
    async def refuse(request: web.Request) -> web.Response:
        return web.Response(status=status, headers=headers)

    with pytest.raises(NotCarriedError) as ended:
        await asked(refuse)
    assert (ended.value.why, ended.value.seconds) == (NotCarried.NOT_ANSWERED, seconds)


async def test_an_answer_without_end_is_cut_off() -> None:
    async def flood(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/cose"})
        await response.prepare(request)
        while True:
            await response.write(bytes(ANSWER_LIMIT))

    with pytest.raises(NotCarriedError) as ended:
        await asyncio.wait_for(asked(flood), 20)
    assert ended.value.why is NotCarried.TOO_LONG


async def test_an_office_that_is_not_there() -> None:
    direct = Direct("http://127.0.0.1:1", None)
    with pytest.raises(NotCarriedError) as ended:
        await direct.carry("directory", b"question", Told())
    assert ended.value.why is NotCarried.UNREACHABLE
    await direct.close()
