"""How often: so many at once, and a rate behind them. And of what is told to people, only the newest."""

import asyncio
from collections.abc import Callable
from typing import Generic, TypeVar

Value = TypeVar("Value")


class Bucket:
    """`burst` at once, `rate` a second after them. Times come as arguments, in seconds."""

    def __init__(self, burst: int, rate: float) -> None:
        self._burst = burst
        self._rate = rate
        self._left = float(burst)
        self._at = 0.0

    def take(self, now: float) -> float:
        """Take one; how long to wait before it is used."""
        self._left = min(self._left + (now - self._at) * self._rate, self._burst) - 1
        self._at = now
        return max(-self._left / self._rate, 0.0)


class Newest(Generic[Value]):
    """Tells values at a pace, and of those that come too quickly the newest, a moment later."""

    def __init__(self, tell: Callable[[Value], None], pace: float) -> None:
        self._tell = tell
        self._pace = pace
        self._held: list[Value] = []
        self._timer: asyncio.TimerHandle | None = None

    def put(self, value: Value) -> None:
        """Tell it now or soon."""
        if self._timer is None:
            self._tell_now(value)
        else:
            self._held = [value]

    def close(self) -> None:
        """Tell no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._held = []

    def _tell_now(self, value: Value) -> None:
        self._timer = asyncio.get_running_loop().call_later(self._pace, self._over)
        self._tell(value)

    def _over(self) -> None:
        self._timer = None
        if self._held:
            self._tell_now(self._held.pop())
