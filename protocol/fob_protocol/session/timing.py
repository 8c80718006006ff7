"""How long a line needs: when to ask again, and when to call the link lost (docs/protocol.md, section 3.5)."""

from dataclasses import dataclass

from fob_protocol.limits import FRAME_LIMIT, RETRIES_BEFORE_LOST, RETRY_AFTER


@dataclass(slots=True)
class LineTiming:
    """A line of `rate` octets per second; None when the line needs no time worth counting."""

    rate: float | None = None
    _free_at: float = 0.0

    def sent(self, octets: int, now: float) -> float:
        """Note that `octets` were handed to the line; the time at which their answer is overdue."""
        if self.rate is None:
            return now + RETRY_AFTER
        self._free_at = max(self._free_at, now) + octets / self.rate
        return self._free_at + RETRY_AFTER + FRAME_LIMIT / self.rate

    def lost_after(self) -> float:
        """Seconds of silence, while an answer is due, after which the link is given up."""
        retry = RETRY_AFTER + (2 * FRAME_LIMIT / self.rate if self.rate else 0.0)
        return retry * RETRIES_BEFORE_LOST
