"""Requests in, answers out: whoever the door lets in looks at pages and taps."""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import replace
from http import HTTPStatus
from typing import Final

from aiohttp import web

from fob_device.screen.web.bench_taps import is_of_bench, tap_bench
from fob_device.screen.web.door import HEADERS, Door
from fob_device.screen.web.forms import FormError, parse_form
from fob_device.screen.web.limits import BODY_LIMIT, BODY_TIME
from fob_device.screen.web.pages import OFF, Moved, NoPageError, message, page_at, with_sheet
from fob_device.screen.web.render import Page, Renderer
from fob_device.screen.web.shown import Shown
from fob_device.screen.web.static_files import load_static_files
from fob_device.screen.web.streams import Streams
from fob_device.screen.web.taps import page_below, tap_at
from fob_device.screen.web.views.bench import bench_view
from fob_device.screen.web.words import first_upper
from fob_device.workbench.errors import BenchError
from fob_protocol.pkcs11.errors import CkrError

_log = logging.getLogger(__name__)

# A page that looks again by itself: it is no tap, and the phone may lock meanwhile.
REFRESH_HEADER: Final = "Fob-Refresh"
REFRESH_FIELD: Final = "again"

_REFUSALS: Final = {
    HTTPStatus.MISDIRECTED_REQUEST: "This is not the address of this phone.",
    HTTPStatus.NOT_FOUND: "There is nothing here.",
    HTTPStatus.METHOD_NOT_ALLOWED: "This is not how a page asks.",
    HTTPStatus.FORBIDDEN: "Another page asked for this. Only the phone's own pages may.",
}
_NO_PAGE: Final = ("There is nothing here", "It may have been there once.")


class Site:
    """Made inside the running loop."""

    def __init__(self, shown: Shown, door: Door) -> None:
        self._shown = shown
        self._door = door
        self._renderer = Renderer(door.base)
        self._streams = Streams(shown.on_change, shown.bench.clock)
        self._static_files = load_static_files()
        # What the workbench could not do at last.
        self._bench_notice = ""

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """The answer to any request."""
        try:
            return await self._answer(request)
        except ConnectionError:
            raise  # the browser has gone
        except Exception:  # the browser must get an answer; the fault is for who started the phone
            _log.exception("a page of the screen failed")
            return web.Response(text="The phone failed.\n", status=500, headers=HEADERS)

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        refusal = self._door.refuse(request.method, request.path, request.headers)
        if refusal is not None:
            return _refused(refusal)
        path = request.path.removeprefix(self._door.base)
        if request.method == "POST":
            # Done to its end, also when the browser does not wait for what comes of it.
            return await asyncio.shield(self._tap(path, request))
        if path == "events":
            return _full() if self._streams.are_full else await self._streams.serve(request)
        if static_file := self._static_files.get(path):
            headers = HEADERS | {"Content-Type": static_file.content_type}
            return web.Response(body=static_file.content, headers=headers)
        return self._look(path, request)

    def _look(self, path: str, request: web.BaseRequest) -> web.Response:
        running = self._shown.running
        if running is None:
            return self._show(replace(OFF, path=path))
        is_tap = REFRESH_HEADER not in request.headers and REFRESH_FIELD not in request.query
        if is_tap and not running.person.lock.is_locked:
            running.person.lock.touch()
        try:
            page = page_at(running, path, request.query)
        except NoPageError:
            return self._fail(HTTPStatus.NOT_FOUND, *_NO_PAGE)
        return self._move(page) if isinstance(page, Moved) else self._show(page)

    async def _tap(self, path: str, request: web.BaseRequest) -> web.Response:
        try:
            fields = parse_form(request.headers.get("Content-Type", ""), await _body(request))
            if is_of_bench(path):
                return self._move(self._tap_bench(path, fields))
            if (running := self._shown.running) is None:
                return self._move(Moved())
            return self._move(await tap_at(running, path, fields))
        except FormError as error:
            return self._fail(HTTPStatus.BAD_REQUEST, "That did not work", f"{error}.")
        except NoPageError:
            return self._fail(HTTPStatus.NOT_FOUND, *_NO_PAGE)
        except CkrError as error:
            words = f"Its memory says: {error.reason}. Nothing has changed."
            return self._fail(HTTPStatus.INTERNAL_SERVER_ERROR, "The phone failed", words)

    def _tap_bench(self, path: str, fields: Mapping[str, str]) -> Moved:
        """Raises FormError."""
        back = page_below(fields)
        self._bench_notice = ""
        try:
            tap_bench(self._shown.bench, path, fields)
        except BenchError as error:
            self._bench_notice = f"Nothing was done. {first_upper(str(error))}."
        return back

    def _fail(self, status: HTTPStatus, title: str, words: str) -> web.Response:
        return self._show(message("warning", title, words), status)

    def _move(self, moved: Moved) -> web.Response:
        query = f"?{moved.notice}" if moved.notice else ""
        location = f"{self._door.base}{moved.path}{query}"
        return web.Response(status=HTTPStatus.SEE_OTHER, headers=HEADERS | {"Location": location})

    def _show(self, page: Page, status: HTTPStatus = HTTPStatus.OK) -> web.Response:
        shown = self._shown
        if shown.running is not None and page.template != OFF.template:
            page = with_sheet(shown.running, page)
        bench = bench_view(shown.bench.report(), self._bench_notice)
        text = self._renderer.page(page, shown.status(), bench)
        return web.Response(text=text, content_type="text/html", status=status, headers=HEADERS)


async def _body(request: web.BaseRequest) -> bytes:
    """Raises FormError when it is too long, or does not come."""
    try:
        async with asyncio.timeout(BODY_TIME):
            body = await request.content.read(BODY_LIMIT + 1)
            while len(body) <= BODY_LIMIT and not request.content.at_eof():
                body += await request.content.read(BODY_LIMIT + 1 - len(body))
    except (TimeoutError, web.RequestPayloadError):
        raise FormError("the form did not come to its end") from None
    if len(body) > BODY_LIMIT:
        raise FormError(f"a form has at most {BODY_LIMIT} octets")
    return body


def _refused(status: HTTPStatus) -> web.Response:
    """The connection ends too: whoever was refused may be here to take up room."""
    response = web.Response(text=f"{_REFUSALS[status]}\n", status=status, headers=HEADERS)
    response.force_close()
    return response


def _full() -> web.Response:
    return web.Response(text="Too many windows.\n", status=HTTPStatus.SERVICE_UNAVAILABLE, headers=HEADERS)
