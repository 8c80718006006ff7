"""How long a line needs: when to ask again, and when to call the link lost (docs/protocol.md, section 3.5)."""

from dataclasses import dataclass

from fob_protocol.limits import FRAME_LIMIT, PARTS_IN_FLIGHT, RETRIES_BEFORE_LOST, RETRY_AFTER


@dataclass(slots=True)
class LineTiming:
    """A line of `rate` octets per second; None when the line needs no time worth counting."""

    rate: float | None = None
    _free_at: float = 0.0

    @property
    def parts_in_flight(self) -> int:
        """How many parts of long texts may be under way: no more than cross in a second, so that short ones pass."""
        if self.rate is None:
            return PARTS_IN_FLIGHT
        return min(PARTS_IN_FLIGHT, max(1, int(self.rate / FRAME_LIMIT)))

    def sent(self, octets: int, now: float, awaited: int = 0) -> float:
        """Note that `octets` were handed to the line; the time at which their answer is overdue.

        `awaited` octets of other answers may come before it.
        """
        if self.rate is None:
            return now + RETRY_AFTER
        self._free_at = max(self._free_at, now) + octets / self.rate
        return self._free_at + RETRY_AFTER + (FRAME_LIMIT + awaited) / self.rate

    def answered(self, now: float, under_way: int) -> None:
        """An answer came, and `under_way` octets of other requests may still be on their way: the line is no slower.

        A line may well be faster than its nominal rate: USB adapters and pseudo-terminals take no notice of it.
        """
        if self.rate is not None:
            self._free_at = min(self._free_at, now + under_way / self.rate)

    def lost_after(self) -> float:
        """Seconds of silence, while an answer is due, after which the link is given up."""
        full_frames = 2 * FRAME_LIMIT / self.rate if self.rate else 0.0
        return RETRY_AFTER * RETRIES_BEFORE_LOST + full_frames
