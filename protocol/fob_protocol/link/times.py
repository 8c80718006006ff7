"""The times of a Bluetooth connection, as hosts and controllers tell each other (Core 5.4, vol. 4, part E, 7.8.18)."""

from dataclasses import dataclass
from typing import Final

from fob_protocol.link.gatt import INTERVAL_UNIT

# What the standard allows, in its units.
INTERVALS: Final = range(6, 3201)
LATENCIES: Final = range(500)
TIMEOUTS: Final = range(10, 3201)

# One unit of a supervision timeout, in seconds.
SUPERVISION_UNIT: Final = 0.01


@dataclass(frozen=True, slots=True)
class Times:
    """In units: `interval` of 1.25 ms, `latency` of events that the peripheral may leave out, `timeout` of 10 ms."""

    interval: int
    latency: int
    timeout: int

    @property
    def are_valid(self) -> bool:
        """Whether they are in their ranges, and the timeout is longer than two events that both sides hear take."""
        are_in_range = self.interval in INTERVALS and self.latency in LATENCIES and self.timeout in TIMEOUTS
        # 10 ms of a timeout beside 2 times 1.25 ms.
        return are_in_range and 4 * self.timeout > (1 + self.latency) * self.interval

    @property
    def seconds(self) -> float:
        """From event to event."""
        return self.interval * INTERVAL_UNIT

    @property
    def supervision(self) -> float:
        """What the connection outlives without a packet, in seconds."""
        return self.timeout * SUPERVISION_UNIT
