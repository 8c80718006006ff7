"""One direction of a slow line."""

import asyncio
from collections.abc import Callable
from typing import Final

# Octets arrive in steps of so many seconds, or one by one where a single one takes longer.
STEP: Final = 0.01

# What waits on a line that is slower than its two ends: as much as a port may have for a PC that does not read. Beyond
# it octets are lost, as without flow control.
WAITING_LIMIT: Final = 524_288


class Pacer:
    """Delivers octets in their order at `rate` octets per second; None: what waits is delivered at once."""

    def __init__(self, deliver: Callable[[bytes], None], rate: int) -> None:
        self._deliver = deliver
        self._rate: int | None = rate
        self._loop = asyncio.get_running_loop()
        self._waiting = bytearray()
        self._free_at = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def carry(self, data: bytes) -> None:
        """Octets set out."""
        if self._rate is None:
            self._deliver(data)
        elif len(self._waiting) + len(data) <= WAITING_LIMIT:
            self._waiting += data
            self._next_step()

    def set_rate(self, rate: int | None) -> None:
        """From now on; the step that is under way is finished at the old one."""
        self._rate = rate
        if rate is None:
            waiting = bytes(self._waiting)
            self.clear()
            if waiting:
                self._deliver(waiting)

    def clear(self) -> None:
        """What is under way does not arrive."""
        self._waiting.clear()
        self._free_at = 0.0
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _next_step(self) -> None:
        if self._timer is not None or self._rate is None or not self._waiting:
            return
        size = min(len(self._waiting), max(int(self._rate * STEP), 1))
        self._free_at = max(self._free_at, self._loop.time()) + size / self._rate
        self._timer = self._loop.call_at(self._free_at, self._arrive, size)

    def _arrive(self, size: int) -> None:
        self._timer = None
        step = bytes(self._waiting[:size])
        del self._waiting[:size]
        self._next_step()
        self._deliver(step)
