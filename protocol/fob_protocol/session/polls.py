"""When the PC asks about parked requests (docs/protocol.md, section 3.2)."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from fob_protocol.session.request import Request
from fob_protocol.session.timing import LineTiming


@dataclass(slots=True)
class Polls:
    """Each is due WORKING_POLL after the device's last word on it, and later where all together would fill the line."""

    timing: LineTiming
    _free_at: float = -math.inf

    def due(self, requests: Iterable[Request], now: float) -> Request | None:
        """The one to ask about now, of those that rest the one that has rested longest."""
        request = _longest_resting(requests)
        return request if request is not None and self._when(request) <= now else None

    def next_at(self, requests: Iterable[Request]) -> float:
        """When there will be one, at the earliest."""
        request = _longest_resting(requests)
        return math.inf if request is None else self._when(request)

    def asked(self, now: float) -> None:
        """One goes out: the next one leaves the line its share."""
        self._free_at = max(self._free_at, now) + self.timing.line.pace.poll_spacing

    def answered(self, now: float) -> None:
        """A parked request was answered. One tap may answer many: nothing is asked while answers come."""
        self._free_at = max(self._free_at, self.timing.behind_others(now))

    def _when(self, request: Request) -> float:
        """What is new goes first where the line is busy."""
        return max(request.due_at, self._free_at, self.timing.room_at())


def _longest_resting(requests: Iterable[Request]) -> Request | None:
    resting = (request for request in requests if request.is_resting)
    return min(resting, key=lambda request: request.due_at, default=None)
