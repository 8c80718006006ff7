"""How many pairings may go wrong in a row (docs/protocol.md, section 5).

The count belongs to the phone, not to a line: six digits are enough only while nobody can try as often as they like.
"""

from dataclasses import dataclass

from fob_protocol.limits import PAIRING_CLOSED_FOR, PAIRING_TRIES


@dataclass(slots=True)
class PairingTries:
    """Counts pairings that were begun and came to nothing: refused, broken, out of time, or given up for another."""

    failures: int = 0
    closed_until: float = float("-inf")

    def are_open(self, now: float) -> bool:
        """False for a while after too many failures."""
        return now >= self.closed_until

    def failed(self, now: float) -> None:
        """A pairing came to nothing."""
        self.failures += 1
        if self.failures >= PAIRING_TRIES:
            self.failures = 0
            self.closed_until = now + PAIRING_CLOSED_FOR

    def succeeded(self) -> None:
        """Both persons agreed."""
        self.failures = 0
