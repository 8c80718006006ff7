"""The pace of a line by radio, from its connection interval (docs/protocol.md, section 8)."""

from typing import Final

from fob_protocol.link.gatt import LONGEST_INTERVAL, MTU_LEAST, SHORTEST_INTERVAL, VALUE_LIMIT, value_size
from fob_protocol.session.pace import Pace

MILLISECONDS: Final = 1000

# What an event is reckoned to carry each way: two values, but no more than the longest one; and no more than that in
# this time, in seconds, however often there is an event.
VALUES_PER_EVENT: Final = 2
QUICK_INTERVAL: Final = 0.025

# A question waits for an event, and its answer for the next one.
EVENTS_PER_ROUND_TRIP: Final = 2

# Where nobody tells the interval: what deadlines on the first calls have room for, until a round trip was measured.
UNTOLD_INTERVAL: Final = 1.0

# How much a new measurement counts (RFC 6298, section 2).
NEW_SHARE: Final = 1 / 8


def sure_interval(milliseconds: float, latency: int, subrate: int) -> float:
    """Seconds from one event at which both sides are sure to listen to the next one, as HCI tells a connection's
    parameters: its interval, the events that the device may leave out, the share of events that are used at all.
    """
    return milliseconds / MILLISECONDS * (1 + latency) * subrate


def air_pace(interval: float | None, octets: int = value_size(MTU_LEAST)) -> Pace:
    """The pace at a `sure_interval`, values having this many octets. None: the interval is not known yet."""
    seconds = UNTOLD_INTERVAL if interval is None else interval
    in_one_event = min(VALUES_PER_EVENT * octets, VALUE_LIMIT)
    return Pace(in_one_event / max(seconds, QUICK_INTERVAL), EVENTS_PER_ROUND_TRIP * seconds)


class MeasuredInterval:
    """The connection interval as round trips tell it, for a Bluetooth stack that does not.

    An answer comes at the event after its question's at the earliest, so no round trip is shorter than an interval
    and none, nothing being lost, is longer than two beside what the device takes. The mean of round trips so is an
    interval that is never too short, and at most twice as long.
    """

    def __init__(self, guess: float) -> None:
        """`guess`: in seconds, until a question was answered."""
        self.seconds = _bounded(guess)
        self._is_guess = True

    def took(self, seconds: float) -> None:
        """A question was answered so many seconds after it was first sent."""
        share = 1.0 if self._is_guess else NEW_SHARE
        self.seconds = _bounded((1 - share) * self.seconds + share * _bounded(seconds))
        self._is_guess = False


def _bounded(seconds: float) -> float:
    return min(max(seconds, SHORTEST_INTERVAL), LONGEST_INTERVAL)
