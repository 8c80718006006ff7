"""A connection in the air: packets cross at connection events, in order, and a lost one waits for the next event."""

import asyncio
import math
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from fob_device.radio.counters import Counters, Crossed

# Data packets that one side gets through in one event: what phones commonly allow.
PACKETS_PER_EVENT: Final = 4

# Octets of data in a packet of the link layer itself: it is none of the host's.
CONTROL: Final = 0

# What waits on one side: far more than a host has buffers for. One that ignores the flow control loses the rest.
WAITING_LIMIT: Final = 256

# A timer that fires a moment early still belongs to the event it was set for.
_EARLY: Final = 1e-6


def _nothing() -> None:
    pass


@dataclass(frozen=True, slots=True)
class Packet:
    """What crosses: its octets of data, what the receiver does with it, and what the sender does when it arrived."""

    octets: int
    deliver: Callable[[], None]
    acknowledge: Callable[[], None] = _nothing


@dataclass(slots=True)
class Lane:
    """One direction of a connection; every counter that its crossings are added to."""

    counted: tuple[Crossed, ...]
    waiting: deque[Packet] = field(default_factory=deque)

    def cross(self, count: int, lose: Callable[[], bool]) -> None:
        """One connection event, with up to `count` of the packets that wait."""
        if not count:
            return
        for crossed in self.counted:
            crossed.events += 1
        for _ in range(count):
            # What a packet does may end the connection.
            if not self.waiting:
                return
            if lose():
                for crossed in self.counted:
                    crossed.lost += 1
                return
            packet = self.waiting.popleft()
            for crossed in self.counted:
                crossed.packets += 1
                crossed.octets += packet.octets
            packet.deliver()
            packet.acknowledge()


@dataclass(frozen=True, slots=True)
class Update:
    """Other times, in seconds, from the event with the number `instant` on; `counts` is called when they count."""

    instant: int
    interval: float
    supervision: float
    counts: Callable[[], None]


class AirConnection:
    """One central and one peripheral.

    `interval` and `supervision` are seconds: the time from event to event, and how long a connection outlives the
    last packet that was heard; then it is closed and `on_time_out` called. `loss` gives the probability that a packet
    is lost, at this moment. When the peripheral hears of an update too late the connection is closed and
    `on_instant_passed` called.
    """

    def __init__(
        self,
        *,
        interval: float,
        supervision: float,
        loss: Callable[[], float],
        random: random.Random,
        counters: tuple[Counters, ...],
    ) -> None:
        self.to_peripheral = Lane(tuple(counter.to_peripheral for counter in counters))
        self.to_central = Lane(tuple(counter.to_central for counter in counters))
        self.in_range = True
        self.is_open = True
        self.is_updating = False
        self.on_time_out: Callable[[], None] = _nothing
        self.on_instant_passed: Callable[[], None] = _nothing
        self.on_closed: Callable[[], None] = _nothing
        self._interval = interval
        self._supervision = supervision
        self._loss = loss
        self._random = random
        self._loop = asyncio.get_running_loop()
        # When the event was from which the others are counted, and its number.
        self._anchor = self._loop.time()
        self._anchor_event = 0
        self._last_event = 0
        self._update: Update | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._supervisor: asyncio.TimerHandle | None = None

    @property
    def next_event(self) -> int:
        """Its number."""
        return self._passed() + 1

    def update(self, update: Update) -> None:
        """The central tells the peripheral of other times; one update at a time, `is_updating` until it counts.

        It goes before what waits: that must not make it late.
        """
        self.is_updating = True
        self.to_peripheral.waiting.appendleft(Packet(CONTROL, partial(self._hear_of, update)))
        self._schedule()

    def send(self, lane: Lane, packet: Packet) -> None:
        """Send at the next event that has room."""
        if self.is_open and len(lane.waiting) < WAITING_LIMIT:
            lane.waiting.append(packet)
            self._schedule()

    def set_in_range(self, in_range: bool) -> None:
        """Whether the two hear each other; if not, the connection dies after its supervision timeout."""
        if in_range == self.in_range or not self.is_open:
            return
        self.in_range = in_range
        if in_range:
            self._cancel_supervisor()
            self._schedule()
        else:
            self._supervisor = self._loop.call_later(self._supervision, self._give_up)

    def close(self) -> None:
        """Nothing crosses any more."""
        if not self.is_open:
            return
        self.is_open = False
        self._update = None
        self._cancel_supervisor()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self.to_peripheral.waiting.clear()
        self.to_central.waiting.clear()
        self.on_closed()

    def _schedule(self) -> None:
        # Its instant comes whoever hears whom.
        if self._timer is not None or not (self.in_range or self._update):
            return
        self._last_event = self._passed() if self._update is None else min(self._passed(), self._update.instant - 1)
        self._timer = self._loop.call_at(self._time_of(self._last_event + 1), self._event)

    def _passed(self) -> int:
        """The number of the newest event."""
        events = math.floor((self._loop.time() - self._anchor + _EARLY) / self._interval)
        return max(self._last_event, self._anchor_event + events)

    def _time_of(self, event: int) -> float:
        return self._anchor + (event - self._anchor_event) * self._interval

    def _event(self) -> None:
        self._timer = None
        self._last_event += 1
        if self.in_range:
            self._cross()
        if self._update is not None and self._update.instant == self._last_event:
            self._switch(self._update)
        if self._update or self.to_peripheral.waiting or self.to_central.waiting:
            self._schedule()

    def _cross(self) -> None:
        # What answers a packet of this event travels in the next one.
        counts = [min(PACKETS_PER_EVENT, len(lane.waiting)) for lane in (self.to_peripheral, self.to_central)]
        self.to_peripheral.cross(counts[0], self._lose)
        self.to_central.cross(counts[1], self._lose)

    def _hear_of(self, update: Update) -> None:
        if update.instant >= self._last_event:
            self._update = update
        else:
            # The central counts by its new times already, and the two will not meet again.
            self.close()
            self.on_instant_passed()

    def _switch(self, update: Update) -> None:
        self._anchor, self._anchor_event = self._time_of(update.instant), update.instant
        self._interval, self._supervision = update.interval, update.supervision
        self._update, self.is_updating = None, False
        update.counts()

    def _lose(self) -> bool:
        return self._random.random() < self._loss()

    def _give_up(self) -> None:
        self._supervisor = None
        self.close()
        self.on_time_out()

    def _cancel_supervisor(self) -> None:
        if self._supervisor is not None:
            self._supervisor.cancel()
            self._supervisor = None
