"""What the device is at, for people: on its screen, and told to computers at most once a second."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from fob_device.approval.asking import loop_time
from fob_protocol.at.answer import Event
from fob_protocol.catalogue import EVENT_PROGRESS
from fob_protocol.time_left import TimeLeft

INTERVAL: Final = 1.0


@dataclass(frozen=True, slots=True)
class Told:
    """`done` of `total` steps, 0 of 0 when that is not known."""

    words: str = ""
    done: int = 0
    total: int = 0


class Progress:
    """`announce` tells every computer; `changed` whoever looks at the device itself."""

    def __init__(self, announce: Callable[[Event], None], changed: Callable[[], None]) -> None:
        self.now = Told()
        self._announce = announce
        self._changed = changed
        self._said = Told()
        self._timer: asyncio.TimerHandle | None = None
        self._time_left = TimeLeft()

    @property
    def seconds_left(self) -> float | None:
        """Until the last step, if it goes on so; None while nobody can tell."""
        return self._time_left.seconds(loop_time())

    def tell(self, told: Told) -> None:
        """From now on; who hears of it too seldom hears the newest."""
        if told == self.now:
            return
        self.now = told
        self._time_left.note(told.done, told.total, loop_time())
        self._changed()
        if self._timer is None:
            self._say()

    def stop(self) -> None:
        """The power is cut."""
        if self._timer is not None:
            self._timer.cancel()

    def _say(self) -> None:
        self._timer = None
        if self.now == self._said:
            return
        self._said = self.now
        self._timer = asyncio.get_running_loop().call_later(INTERVAL, self._say)
        self._announce(Event(EVENT_PROGRESS, (self.now.done, self.now.total, self.now.words)))
