"""Which connection interval the phone asks a computer for: a quick one while it is used, a calm one afterwards."""

import asyncio
import logging
import math
from collections.abc import Callable, Coroutine
from typing import Any, Final

from bumble.device import Connection

from fob_protocol.link.times import SUPERVISION_UNIT, Times

# Milliseconds. The least that iPhones and iPads grant (Apple, Accessory Design Guidelines, chapter on Bluetooth, its
# section on connection parameters), and what computers commonly begin with.
QUICK: Final = 15.0
CALM: Final = 30.0

# Seconds between frames: who asks again within them is in the middle of something, and the link's own signs of life
# (KEEPALIVE) come later. After them the phone calms down.
CALM_AFTER: Final = 10.0

# Seconds that a computer is left in peace with after it connected: TGAP(conn_pause_peripheral) (Core 5.4, vol. 3,
# part C, 9.3.12.2 and appendix A).
FIRST_ASK_AFTER: Final = 5.0

# In milliseconds, as the stack tells a connection's times.
_UNIT: Final = 1.25
_SUPERVISION_UNIT: Final = 1000 * SUPERVISION_UNIT

# Whether a computer accepts. Raises TimeoutError.
Ask = Callable[[Connection, Times], Coroutine[Any, Any, bool]]
Start = Callable[[Coroutine[Any, Any, None]], object]

_log = logging.getLogger(__name__)


class Tempo:
    """That of one connection. A computer that began with an interval beyond QUICK and CALM gets its own back.

    One question at a time, and none after one that was refused or not answered: the computer has its reasons. Work is
    begun by `start`.
    """

    def __init__(self, connection: Connection, ask: Ask, start: Start) -> None:
        self._connection = connection
        self._ask = ask
        self._start = start
        self._loop = asyncio.get_running_loop()
        self._began_at = self._loop.time()
        self._quick, self._calm = min(self._interval, QUICK), max(self._interval, CALM)
        self._used_at = -math.inf
        self._asked: float | None = None
        self._is_asking = False
        self._has_given_up = False
        self._calming: asyncio.TimerHandle | None = None
        connection.on(Connection.EVENT_CONNECTION_PARAMETERS_UPDATE, self._watch)

    def used(self, frames: int) -> None:
        """So many frames came together. A single one after a pause asks for nothing: it is answered before that."""
        now = self._loop.time()
        goes_on = frames > 1 or now - self._used_at < CALM_AFTER
        self._used_at = now
        if goes_on and self._interval > self._quick:
            self._want(self._quick)
        self._watch()

    def end(self) -> None:
        """The connection is over."""
        if self._calming is not None:
            self._calming.cancel()
            self._calming = None

    @property
    def _interval(self) -> float:
        return self._connection.parameters.connection_interval

    def _watch(self) -> None:
        """Calm down when nothing comes any more, if it is not calm."""
        self.end()
        if self._interval < self._calm:
            self._calming = self._loop.call_later(CALM_AFTER, self._want, self._calm)

    def _want(self, interval: float) -> None:
        is_early = self._loop.time() - self._began_at < FIRST_ASK_AFTER
        if is_early or self._is_asking or self._has_given_up or interval == self._asked:
            return
        self._is_asking, self._asked = True, interval
        self._start(self._ask_for(interval))

    async def _ask_for(self, interval: float) -> None:
        try:
            self._has_given_up = not await self._ask(self._connection, self._times(interval))
        except TimeoutError:
            self._has_given_up = True
        finally:
            self._is_asking = False
        if self._has_given_up:
            _log.info("a computer grants no connection interval of %g ms: it keeps %g ms", interval, self._interval)

    def _times(self, interval: float) -> Times:
        """All else as it is, but for a timeout that would be too short."""
        told = self._connection.parameters
        units, latency = round(interval / _UNIT), told.peripheral_latency
        least = (1 + latency) * units // 4 + 1
        return Times(units, latency, max(round(told.supervision_timeout / _SUPERVISION_UNIT), least))
