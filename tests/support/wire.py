"""An in-memory line between two sans-IO ends under an injected clock.

It delivers whole, one octet at a time, late, damaged (seeded), or not at all once it is cut. Nothing sleeps:
`run_until` moves the clock to the next arrival or timer.
"""

import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from support.noise import OctetNoise

# Rounds without the clock moving after which the two ends count as chattering for ever.
ROUNDS_LIMIT = 100_000


class End(Protocol):
    """One side of a line: octets and the time go in, octets and a timer come out."""

    def receive(self, octets: bytes, now: float) -> None:
        """Take octets as they came from the line."""

    def due(self, now: float) -> bytes:
        """The octets to write now."""

    def next_timer(self) -> float | None:
        """When `due` has to be called at the latest."""


@dataclass(slots=True)
class Clock:
    """The time, which moves when a test says so."""

    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@dataclass(slots=True)
class Direction:
    """One direction of a line: seconds of `delay`, and a `rate` in octets a second where octets take time themselves.

    `written` counts the octets put in, before any damage.
    """

    delay: float = 0.0
    rate: float | None = None
    octet_by_octet: bool = False
    frame_by_frame: bool = False
    noise: OctetNoise | None = None
    is_cut: bool = False
    written: int = 0
    _free_at: float = 0.0
    _travelling: deque[tuple[float, bytes]] = field(default_factory=deque)

    def write(self, data: bytes, now: float) -> None:
        """Put octets in at one end."""
        self.written += len(data)
        if self.is_cut:
            return
        if self.noise is not None:
            data = self.noise.damage(data)
        for chunk in self._chunks(data):
            self._free_at = max(self._free_at, now) + (len(chunk) / self.rate if self.rate else 0.0)
            self._travelling.append((self._free_at + self.delay, chunk))

    def _chunks(self, data: bytes) -> list[bytes]:
        if self.octet_by_octet:
            return [bytes((octet,)) for octet in data]
        return [frame for frame in re.split(rb"(?<=\0)", data) if frame] if self.frame_by_frame else [data]

    def read(self, now: float) -> list[bytes]:
        """The chunks that have arrived at the other end."""
        arrived = []
        while self._travelling and self._travelling[0][0] <= now:
            arrived.append(self._travelling.popleft()[1])
        return arrived

    def next_arrival(self) -> float | None:
        """When the next chunk arrives."""
        return self._travelling[0][0] if self._travelling else None

    def cut(self) -> None:
        """The cable is out: what travels is lost, and so is all that is written from now on."""
        self.is_cut = True
        self._travelling.clear()

    def mend(self) -> None:
        """The cable is in again."""
        self.is_cut = False


class Wire:
    """Two ends, two directions, one clock."""

    def __init__(
        self,
        pc: End,
        device: End,
        *,
        clock: Clock | None = None,
        to_device: Direction | None = None,
        to_pc: Direction | None = None,
    ) -> None:
        self.clock = clock or Clock()
        self.to_device = to_device or Direction()
        self.to_pc = to_pc or Direction()
        self._pc = pc
        self._device = device

    def settle(self) -> None:
        """Let pass whatever passes without the clock moving."""
        for _ in range(ROUNDS_LIMIT):
            busy = self._pass(self._pc, self.to_device, self.to_pc)
            busy = self._pass(self._device, self.to_pc, self.to_device) or busy
            if not busy:
                return
        raise AssertionError("the two ends never stop talking")

    def run_until(self, done: Callable[[], bool], *, within: float) -> None:
        """Move the clock from arrival to timer until `done`; AssertionError after `within` seconds."""
        deadline = self.clock.now + within
        self.settle()
        while not done():
            moment = self._next_moment()
            if moment is None or moment > deadline:
                raise AssertionError(f"not done within {within} s, at {self.clock.now:.3f}; next is {moment}")
            if moment <= self.clock.now:
                raise AssertionError("a timer that never goes off")
            self.clock.now = moment
            self.settle()

    def run_for(self, seconds: float) -> None:
        """Let exactly this much time pass."""
        end = self.clock.now + seconds
        self.run_until(lambda: (moment := self._next_moment()) is None or moment > end, within=seconds)
        self.clock.now = end

    def cut(self) -> None:
        """Pull the cable out."""
        self.to_device.cut()
        self.to_pc.cut()

    def mend(self) -> None:
        """Put the cable in again."""
        self.to_device.mend()
        self.to_pc.mend()

    def _pass(self, end: End, out: Direction, into: Direction) -> bool:
        now = self.clock.now
        arrived = into.read(now)
        for chunk in arrived:
            end.receive(chunk, now)
        written = end.due(now)
        if written:
            out.write(written, now)
        return bool(arrived or written)

    def _next_moment(self) -> float | None:
        moments = (
            self.to_device.next_arrival(),
            self.to_pc.next_arrival(),
            self._pc.next_timer(),
            self._device.next_timer(),
        )
        return min((moment for moment in moments if moment is not None), default=None)
