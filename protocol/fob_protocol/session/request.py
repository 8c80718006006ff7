"""One request of the PC on its way: its parts, its answer, its timer."""

import math
from dataclasses import dataclass, field
from typing import Final

from fob_protocol.limits import FRAME_LIMIT, POLL_OCTETS, TYPICAL_ANSWER, WORKING_POLL
from fob_protocol.link.frames import Frame, Kind
from fob_protocol.session.parts import WHOLE_PARTS, Assembly, split_text
from fob_protocol.session.records import Sealer

# Header, CRC, COBS and closing zero of a frame, at most, for reckoning time.
FRAME_OVERHEAD: Final = 13


@dataclass(slots=True, eq=False)
class Request:
    """A command's text and what became of it. `number` is None until it is first sent."""

    text: bytes = field(repr=False)
    is_keepalive: bool = False
    # What may wait for the device's person, for all that the PC knows.
    may_wait: bool = True
    number: int | None = None
    parked: bool = False
    # Parked, and nothing is asked about it at the moment: `due_at` is when the next question may be.
    is_resting: bool = False
    cancelled: bool = False
    due_at: float = math.inf
    tries: int = 0
    # When it first went out, until something came back. Polls are no measure: the answer may be on its way already.
    asked_at: float | None = None
    _parts: list[bytes] = field(default_factory=list, repr=False)
    _acknowledged: set[int] = field(default_factory=set)
    _in_flight: set[int] = field(default_factory=set)
    _assembly: Assembly | None = None
    _cached: dict[tuple[Kind, int], Frame] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        self._parts = split_text(self.text)

    @property
    def assembling(self) -> bool:
        """True while the device may be putting its parts together."""
        return len(self._parts) > 1 and not self.parked and not self.cancelled and self._assembly is None

    @property
    def in_parts(self) -> bool:
        """True while parts of it, or of its answer, have to cross."""
        return self.assembling or self._assembly is not None

    @property
    def in_flight(self) -> int:
        """How many frames of it are under way, neither acknowledged nor late."""
        return len(self._in_flight)

    @property
    def awaited(self) -> int:
        """How many octets of the device it waits for, roughly."""
        if self._assembly is not None:
            return FRAME_LIMIT * self.in_flight
        return 0 if self.parked or self.assembling else TYPICAL_ANSWER

    @property
    def octets_under_way(self) -> int:
        """How many octets of it may still be on their way to the device, at most."""
        if self.in_parts:
            return FRAME_LIMIT * self.in_flight
        if self.parked:
            return 0 if self.is_resting else POLL_OCTETS
        return min(len(self.text) + FRAME_OVERHEAD, FRAME_LIMIT)

    @property
    def sent(self) -> bool:
        """True once the device may have seen it."""
        return self.number is not None

    def late(self) -> None:
        """Its timer ran out: what was in flight counts as lost, and what rested is asked about."""
        self.tries += 1
        self.is_resting = False
        self._in_flight.clear()
        if len(self._acknowledged) == len(self._parts):
            # All parts arrived but neither answer nor WORKING came: the last part asks again.
            self._acknowledged.discard(len(self._parts) - 1)

    def cancel(self) -> None:
        """Nobody waits for the answer any more; the next frames withdraw the request."""
        self.cancelled = True
        self._in_flight.clear()

    def part_received(self, index: int) -> None:
        """The device has this part."""
        if index < len(self._parts) and self.assembling:
            self._acknowledged.add(index)
            self._in_flight.discard(index)
            self.tries = 0

    def working(self, now: float) -> None:
        """The device works on it: no need to ask again soon."""
        self.parked = True
        self.tries = 0
        self.due_at = now + WORKING_POLL
        if self._assembly is None:
            self.is_resting = True
            self._in_flight.clear()

    def answer_part(self, index: int, total: int, part: bytes) -> bytes | None:
        """A part of the answer; the whole answer when it completes it. Raises RecordError."""
        if self._assembly is None:
            self._assembly = Assembly(total)
            # What comes behind the first part, unasked.
            self._in_flight = set(range(1, total)) if index == 0 and total <= WHOLE_PARTS else set()
            self.is_resting = False
        self._assembly.add(index, total, part)
        self._in_flight.discard(index)
        self.tries = 0
        return self._assembly.text()

    def frames(self, sealer: Sealer, room: int) -> list[Frame]:
        """What has to go out now for this request; of parts, no more than `room`."""
        if self.number is None:
            raise ValueError("a request is numbered before it is sent")
        kind, indexes = self._wanted()
        chosen = [index for index in indexes if index not in self._in_flight]
        if self.in_parts:
            chosen = chosen[: max(room, 0)]
            if not chosen and not self._in_flight and indexes:
                self.due_at = math.inf  # it waits for others, not for the device
        self._in_flight.update(chosen)
        self.is_resting = self.is_resting and not chosen
        return [self._frame(sealer, kind, index) for index in chosen]

    def _wanted(self) -> tuple[Kind, list[int]]:
        """The kind and the indexes of the frames that the device has not reacted to."""
        if self._assembly is not None:
            return Kind.FETCH, self._assembly.missing()
        if self.cancelled:
            return Kind.CANCEL, [0]
        if self.parked:
            return Kind.FETCH, [0]
        kind = Kind.REQUEST if len(self._parts) == 1 else Kind.REQUEST_PART
        return kind, [index for index in range(len(self._parts)) if index not in self._acknowledged]

    def _frame(self, sealer: Sealer, kind: Kind, index: int) -> Frame:
        """Sealed once; sent again it is the same octets."""
        cached = self._cached.get((kind, index))
        if cached is None:
            cached = self._seal(sealer, kind, index)
            self._cached[kind, index] = cached
        return cached

    def _seal(self, sealer: Sealer, kind: Kind, index: int) -> Frame:
        number = self.number or 0
        if kind is Kind.REQUEST:
            return sealer.seal(kind, number, self.text)
        if kind is Kind.REQUEST_PART:
            return sealer.seal(kind, number, self._parts[index], part=(index, len(self._parts)))
        return sealer.seal(kind, number, part=(index,) if kind is Kind.FETCH else ())
