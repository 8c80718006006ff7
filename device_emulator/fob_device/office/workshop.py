"""Work on components: off the loop, one thing at a time, and none once the power is cut."""

import threading
from collections.abc import Callable
from typing import TypeVar

from fob_device.slowly import Slowly

T = TypeVar("T")


class PowerCutError(Exception):
    """The device is off."""


class Workshop:
    """What has begun when the power is cut is finished first: a thread cannot be stopped in the middle."""

    def __init__(self) -> None:
        self._slowly = Slowly()
        self._at_work = threading.Lock()
        self._is_closed = False

    async def __call__(self, work: Callable[[], T]) -> T:
        """What `work` returns or raises. Raises PowerCutError."""
        return await self._slowly(lambda: self._do(work))

    def close(self) -> None:
        """From now on nothing is begun."""
        with self._at_work:
            self._is_closed = True

    def _do(self, work: Callable[[], T]) -> T:
        with self._at_work:
            if self._is_closed:
                raise PowerCutError
            return work()
