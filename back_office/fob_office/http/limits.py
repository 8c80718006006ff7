"""What one worker takes on: how much of a question, how slowly, how many at a time, how often from one address."""

import asyncio
import math
from collections import OrderedDict
from collections.abc import Callable
from typing import Final, TypeVar

from anyio import CapacityLimiter, to_thread
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fob_office.http.problems import LaterError, ProblemError, problem
from fob_office.settings import LimitSettings
from fob_protocol.office.limits import QUESTION_LIMIT

T = TypeVar("T")

# What an operator sends: a component of CONTENT_LIMIT in base64, with what is said about it.
OPERATOR_LIMIT: Final = 2 << 20
OPERATOR_PATH: Final = "/v1/operator/"
# A slow line brings a question in a second or two.
BODY_TIME: Final = 30
# Addresses that are remembered: some hundred octets each.
ADDRESSES_LIMIT: Final = 10_000


class BodyLimit:
    """ASGI: a body that is too large or too slow ends where it is read."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = OPERATOR_LIMIT if scope["path"].startswith(OPERATOR_PATH) else QUESTION_LIMIT
        if _announced(scope) > limit:
            # It is not read: the connection goes with it.
            refused = problem(413, f"a body has at most {limit} octets", {"Connection": "close"})
            await refused(scope, receive, send)
            return
        await self._app(scope, _Bounded(receive, limit), send)


class _Bounded:
    """`receive` of one request."""

    def __init__(self, receive: Receive, limit: int) -> None:
        self._receive = receive
        self._limit = limit
        self._octets = 0
        self._is_whole = False
        self._deadline = asyncio.get_running_loop().time() + BODY_TIME

    async def __call__(self) -> Message:
        """Raises ProblemError."""
        if self._is_whole:
            return await self._receive()
        try:
            async with asyncio.timeout_at(self._deadline):
                message = await self._receive()
        except TimeoutError:
            raise ProblemError(400, f"the body did not come in {BODY_TIME} seconds", {"Connection": "close"}) from None
        self._octets += len(message.get("body", b""))
        self._is_whole = not message.get("more_body", False)
        if self._octets > self._limit:
            raise ProblemError(413, f"a body has at most {self._limit} octets", {"Connection": "close"})
        return message


def _announced(scope: Scope) -> int:
    """The body's octets, if its header says so; 0 where it does not."""
    lengths = [value for name, value in scope["headers"] if name == b"content-length"]
    return int(lengths[0]) if lengths and lengths[0].isdigit() else 0


class Turns:
    """Questions in hand: so many are worked at in threads, some more wait, the rest is told to come later."""

    def __init__(self, settings: LimitSettings) -> None:
        self._limiter = CapacityLimiter(settings.in_hand)
        self._waiting = settings.waiting

    async def run(self, work: Callable[[], T]) -> T:
        """Its result. Raises LaterError."""
        if self._limiter.available_tokens <= 0 and self._limiter.statistics().tasks_waiting >= self._waiting:
            raise LaterError(503, "the office is busy")
        return await to_thread.run_sync(work, limiter=self._limiter)


class Rates:
    """A token bucket for each address (RFC 6585 calls its end 429). Full buckets are forgotten first."""

    def __init__(self, settings: LimitSettings, ticks: Callable[[], float]) -> None:
        self._rate = settings.rate
        self._burst = max(settings.burst, 1.0)
        self._ticks = ticks
        # What is left in each, and when it was looked at.
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, address: str) -> None:
        """One question of an address. Raises LaterError."""
        if not self._rate:
            return
        now = self._ticks()
        left, then = self._buckets.pop(address, (self._burst, now))
        left = min(self._burst, left + (now - then) * self._rate)
        if left < 1:
            self._buckets[address] = (left, now)
            seconds = math.ceil((1 - left) / self._rate)
            raise LaterError(429, "that address asks too often", seconds)
        self._buckets[address] = (left - 1, now)
        if len(self._buckets) > ADDRESSES_LIMIT:
            self._buckets.popitem(last=False)

    def give_back(self, address: str) -> None:
        """What was taken last counts not."""
        if (found := self._buckets.get(address)) is not None:
            self._buckets[address] = (min(self._burst, found[0] + 1), found[1])
