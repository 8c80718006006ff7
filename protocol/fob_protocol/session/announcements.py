"""What the device announces: each event is sent again until the PC has it (docs/protocol.md, section 3.4)."""

from collections.abc import Callable
from dataclasses import dataclass

from fob_protocol.limits import EVENT_TRIES, EVENTS_WAITING
from fob_protocol.link.frames import Frame, Kind
from fob_protocol.session.pace import Pace
from fob_protocol.session.records import Sealer


@dataclass(slots=True)
class PendingEvent:
    """An event on its way, sent again until the PC says it has it."""

    frame: Frame
    due_at: float
    tries: int = 0


class Announcements:
    """The events that the PC has not confirmed, by their numbers. No I/O: the time goes in, frames come out.

    `pace`: the line's, at any time.
    """

    def __init__(self, sealer: Sealer, pace: Callable[[], Pace]) -> None:
        self._sealer = sealer
        self._pace = pace
        self._events: dict[int, PendingEvent] = {}
        self.next_number = 0

    def __contains__(self, number: int) -> bool:
        return number in self._events

    def add(self, text: bytes, now: float) -> int:
        """Announce something, and give its number; the oldest announcement gives way when too many wait."""
        number = self.next_number
        self.next_number += 1
        self._events[number] = PendingEvent(self._sealer.seal(Kind.EVENT, number, text), now)
        if len(self._events) > EVENTS_WAITING:
            del self._events[min(self._events)]
        return number

    def remove(self, number: int) -> None:
        """Send it no more: the PC has it, or need not have it."""
        self._events.pop(number, None)

    def due(self, now: float) -> list[Frame]:
        """The frames to write now; those never sent wait while as many are under way as the line may have."""
        frames: list[Frame] = []
        pace = self._pace()
        under_way = self._under_way()
        for number, event in list(self._events.items()):
            if event.due_at > now or (event.tries == 0 and under_way >= pace.events_in_flight):
                continue
            under_way += event.tries == 0
            frames.append(event.frame)
            event.tries += 1
            event.due_at = now + pace.event_retry(event.tries)
            if event.tries == EVENT_TRIES:
                del self._events[number]
        return frames

    def timers(self) -> list[float]:
        """When there will be a frame to write, for each event that may be sent."""
        is_full = self._under_way() >= self._pace().events_in_flight
        return [event.due_at for event in self._events.values() if event.tries or not is_full]

    def _under_way(self) -> int:
        return sum(event.tries > 0 for event in self._events.values())
