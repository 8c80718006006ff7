"""When the answers that are under way over a line are due (docs/protocol.md, section 3.5)."""

from dataclasses import dataclass, field

from fob_protocol.limits import BUSY, FRAME_LIMIT
from fob_protocol.session.pace import Paced, Steady


@dataclass(slots=True)
class LineTiming:
    """Which octets a line still has to carry, by its pace, which may change."""

    line: Paced = field(default_factory=Steady)
    _free_at: float = 0.0

    @property
    def parts_in_flight(self) -> int:
        """How many parts of long texts may be under way."""
        return self.line.pace.parts_in_flight

    def sent(self, octets: int, now: float, awaited: int = 0) -> float:
        """Note that `octets` were handed to the line; the time at which their answer is overdue.

        `awaited` octets of other answers may come before it.
        """
        pace = self.line.pace
        self._free_at = max(self._free_at, now) + pace.crossing(octets)
        return self._free_at + pace.retry_after + pace.crossing(FRAME_LIMIT + awaited)

    def answered(self, now: float, under_way: int) -> None:
        """An answer came, and `under_way` octets of other requests may still be on their way: the line is no slower.

        A line may well be faster than its nominal rate: USB adapters and pseudo-terminals take no notice of it.
        """
        self._free_at = min(self._free_at, now + self.line.pace.crossing(under_way))

    def behind_others(self, now: float) -> float:
        """When an answer that comes behind another one, which came now, is overdue."""
        return now + self.line.pace.retry_after + self.line.pace.crossing(FRAME_LIMIT)

    def room_at(self) -> float:
        """When so few octets wait to cross that CANCELs and polls, which can wait, may be added."""
        return self._free_at - BUSY

    def lost_after(self) -> float:
        """Seconds of silence, while an answer is due, after which the link is given up."""
        return self.line.pace.lost_after
