"""The control API: HTTP in, requests to the handlers, JSON or a stream of events out."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Final

import structlog
from aiohttp import web

from fob_daemon.control.configurations import LAST_EVENTS as LAST_OF_CONFIGURATION
from fob_daemon.control.configurations import Configurations
from fob_daemon.control.errors import ControlError, ExitCode, daemon_fault
from fob_daemon.control.events import EventQueue
from fob_daemon.control.fields import bad_request
from fob_daemon.control.frankings import LAST_EVENTS as LAST_OF_FRANKING
from fob_daemon.control.frankings import Frankings
from fob_daemon.control.grant_reports import Granted, Revoked
from fob_daemon.control.handlers import Handlers
from fob_daemon.control.http_server import HttpServer
from fob_daemon.control.interface import Ask, ControlEvent, DaemonView, DeviceChange, LogEntry, Settled
from fob_daemon.control.json_form import to_json
from fob_daemon.control.limits import MAX_BODY, Limits
from fob_daemon.control.meter_requests import FrankJob
from fob_daemon.control.office_reports import IntegrityChange, MeterChange, OptionsChange, Progress, Relayed
from fob_daemon.control.office_requests import Configure
from fob_daemon.control.pairings import LAST_EVENTS, Pairings
from fob_daemon.control.requests import Follow, GetMetrics, Pair, PlainRequest, parse_request
from fob_daemon.control.sse import ServerEvent
from fob_daemon.control.streams import Streams
from fob_daemon.control.token_sessions import TokenSessions
from fob_daemon.peer import PeerIdentity
from fob_daemon.sockets import Door

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

# Prometheus' text format (its documentation, "Exposition formats").
METRICS_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"

_EVENT_NAMES: dict[type[ControlEvent], str] = {
    LogEntry: "log",
    DeviceChange: "device",
    Ask: "ask",
    Settled: "settled",
    Granted: "granted",
    Revoked: "revoked",
    Relayed: "relay",
    Progress: "progress",
    OptionsChange: "options",
    IntegrityChange: "integrity",
    MeterChange: "meter",
}


class HttpApi:
    """Answers what comes through `door`. `random` gives ids for keys and pairings. Made inside the running loop."""

    def __init__(self, daemon: DaemonView, door: Door, limits: Limits, random: Callable[[int], bytes]) -> None:
        self._daemon = daemon
        self._limits = limits
        self._sessions = TokenSessions(daemon)
        self._pairings = Pairings(daemon, random)
        self._handlers = Handlers(daemon, self._sessions, self._pairings, random)
        self._configurations = Configurations(daemon, self._handlers.office)
        self._frankings = Frankings(self._handlers.meters)
        self._streams = Streams(limits)
        self._http = HttpServer(self._answer, door, limits)

    def new_connection(self) -> asyncio.Protocol:
        """The protocol of one more connection."""
        return self._http()

    async def close(self) -> None:
        """End every request and held login."""
        self._http.pre_shutdown()
        await self._http.shutdown(self._limits.stop_time)
        self._sessions.close()

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        peer = self._http.peer(request)
        try:
            parsed = parse_request(request.method, request.raw_path, await self._body(request))
            match parsed:
                case Pair():
                    with self._streams.room():
                        return await self._pair(request, parsed)
                case Configure():
                    with self._streams.room():
                        return await self._configure(request, parsed)
                case FrankJob():
                    with self._streams.room():
                        return await self._frank(request, parsed, peer)
                case Follow():
                    with self._streams.room():
                        return await self._follow(request)
                case GetMetrics():
                    return self._metrics()
                case _:
                    return await self._answer_plain(parsed, peer)
        except ControlError as error:
            return _error_response(error)
        except ConnectionError:
            raise  # the client has gone
        except Exception as fault:  # the client must get an answer, and the others must not notice
            _log.error("control.failed", fault=type(fault).__name__)
            return _error_response(daemon_fault("the request failed", fault))

    async def _answer_plain(self, request: PlainRequest, peer: PeerIdentity) -> web.Response:
        try:
            async with asyncio.timeout(self._limits.request_time):
                return web.json_response(to_json(await self._handlers.answer(request, peer)))
        except TimeoutError:
            raise ControlError("no answer", "the device took too long", "fob status", ExitCode.TIMEOUT) from None

    def _metrics(self) -> web.Response:
        return web.Response(body=self._daemon.metrics(), headers={"Content-Type": METRICS_TYPE})

    async def _pair(self, request: web.BaseRequest, pair: Pair) -> web.StreamResponse:
        events: EventQueue[ServerEvent] = EventQueue()
        return await self._while_read(request, events, self._pairings.run(pair, events), LAST_EVENTS)

    async def _configure(self, request: web.BaseRequest, configure: Configure) -> web.StreamResponse:
        events: EventQueue[ServerEvent] = EventQueue()
        configuring = self._configurations.run(configure, events)
        return await self._while_read(request, events, configuring, LAST_OF_CONFIGURATION)

    async def _frank(self, request: web.BaseRequest, frank: FrankJob, peer: PeerIdentity) -> web.StreamResponse:
        events: EventQueue[ServerEvent] = EventQueue()
        return await self._while_read(request, events, self._frankings.run(frank, peer, events), LAST_OF_FRANKING)

    async def _while_read(
        self,
        request: web.BaseRequest,
        events: EventQueue[ServerEvent],
        work: Coroutine[Any, Any, None],
        last: frozenset[str],
    ) -> web.StreamResponse:
        """What `work` puts into `events`. Whoever hangs up ends the work."""
        task = asyncio.get_running_loop().create_task(work)
        try:
            return await self._streams.write(request, events, lambda event: event, last)
        finally:
            task.cancel()
            await asyncio.wait((task,))

    async def _follow(self, request: web.BaseRequest) -> web.StreamResponse:
        events: EventQueue[ControlEvent] = EventQueue()
        self._daemon.subscribe(events)
        try:
            return await self._streams.write(
                request, events, lambda event: ServerEvent(_EVENT_NAMES[type(event)], to_json(event))
            )
        finally:
            self._daemon.unsubscribe(events)

    async def _body(self, request: web.BaseRequest) -> bytes:
        """The body, within its bounds. Raises ControlError."""
        if (request.content_length or 0) > MAX_BODY:
            raise bad_request(f"a body over {MAX_BODY} octets", 413)
        body = bytearray()
        try:
            async with asyncio.timeout(self._limits.body_time):
                async for chunk in request.content.iter_any():
                    body += chunk
                    if len(body) > MAX_BODY:
                        raise bad_request(f"a body over {MAX_BODY} octets", 413)
        except TimeoutError:
            raise bad_request("the body did not come to its end", 408) from None
        except web.RequestPayloadError:
            raise bad_request("the body is damaged") from None
        return bytes(body)


def _error_response(error: ControlError) -> web.Response:
    return web.json_response({"error": error.to_json()}, status=error.status)
