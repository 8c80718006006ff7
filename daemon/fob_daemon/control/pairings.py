"""Pairings under way: the daemon's questions to the person, and the person's answers, which come by another request."""

import asyncio
import shlex
from collections.abc import Callable

import structlog

from fob_daemon.control.errors import ControlError, ExitCode, daemon_fault
from fob_daemon.control.events import EventQueue
from fob_daemon.control.interface import DaemonView
from fob_daemon.control.json_form import to_json
from fob_daemon.control.requests import CompareAnswer, Pair
from fob_daemon.control.sse import ServerEvent
from fob_daemon.device.pairing_time import PAIRING_LIMIT

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

ID_SIZE = 8

# The events that end the stream of a pairing.
LAST_EVENTS = frozenset({"paired", "error"})


class Pairings:
    """The answers that are waited for, by the pairing's id."""

    def __init__(self, daemon: DaemonView, random: Callable[[int], bytes], time_limit: float = PAIRING_LIMIT) -> None:
        """`time_limit`: seconds; for a daemon that has lost its way, whose own deadlines end any pairing earlier."""
        self._daemon = daemon
        self._random = random
        self._time_limit = time_limit
        self._waiting: dict[str, asyncio.Future[bool]] = {}

    def answer(self, request: CompareAnswer) -> None:
        """The person has compared. Raises ControlError when nobody asked."""
        future = self._waiting.get(request.pairing)
        if future is None or future.done():
            raise ControlError(
                "the answer came to nothing",
                "that pairing is over, or was answered already",
                "fob devices",
                ExitCode.FAILED,
                status=404,
            )
        future.set_result(request.equal)

    async def run(self, request: Pair, events: EventQueue[ServerEvent]) -> None:
        """Pair; `events` gets what happens, and one of LAST_EVENTS at the end. Cancelling breaks the pairing off."""
        try:
            events.put(await self._pair(request, events))
        except ControlError as error:
            events.put(ServerEvent("error", dict(error.to_json())))
        except Exception as fault:  # the person must get an answer
            _log.error("control.pairing_failed", fault=type(fault).__name__)
            events.put(ServerEvent("error", dict(daemon_fault("not paired", fault).to_json())))

    async def _pair(self, request: Pair, events: EventQueue[ServerEvent]) -> ServerEvent:
        pairing = self._random(ID_SIZE).hex()

        async def compare(code: str, device: str, serial: str) -> bool:
            future: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
            self._waiting[pairing] = future
            events.put(ServerEvent("compare", {"id": pairing, "code": code, "device": device, "serial": serial}))
            try:
                return await future
            finally:
                del self._waiting[pairing]

        def say(text: str) -> None:
            events.put(ServerEvent("say", {"text": text}))

        try:
            async with asyncio.timeout(self._time_limit):
                report = await self._daemon.pair(request.url, request.name, compare, say)
        except TimeoutError:
            why, again = "the device or a person did not answer in time", f"fob pair {shlex.quote(request.url)}"
            raise ControlError("not paired", why, again, ExitCode.TIMEOUT) from None
        return ServerEvent("paired", to_json(report))
