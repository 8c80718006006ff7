"""How fast a line is, and every time that is reckoned from that (docs/protocol.md, section 3.5)."""

from dataclasses import dataclass
from typing import Final, Protocol

from fob_protocol.limits import (
    EVENT_RETRY_FIRST,
    EVENTS_IN_FLIGHT,
    EVENTS_WAITING,
    FRAME_LIMIT,
    PARTS_IN_FLIGHT,
    POLL_OCTETS,
    POLL_SHARE,
    RETRIES_BEFORE_LOST,
    RETRY_AFTER,
    TYPICAL_EVENT,
    WORKING_POLL,
)

# The round trip, in seconds, that the times of a quick line have room for: two connection intervals of up to 50 ms, as
# computers choose them, or two of 30 ms as whoever has to measure them takes them, twice as long.
QUICK_ROUND_TRIP: Final = 0.12

# By radio a record may travel alone in a value, and two values in a connection event, of which a round trip has two.
RECORDS_PER_ROUND_TRIP: Final = 4

# How long the events that are under way at once take to cross.
EVENTS_TIME: Final = 0.5

# Deadlines on what takes several round trips are as many times longer as one round trip is longer than this.
UNHURRIED_ROUND_TRIP: Final = 1.0

# What a device in command state may take for its answer, and the most that one exchange there puts on a slow line.
COMMAND_TIME: Final = 0.5
COMMAND_OCTETS: Final = 256

# How long a request waits for a broken link when nothing answers; with the time to notice a silent break it stays
# under the two seconds in which an application wants to hear that the device is away.
RECONNECT_GRACE: Final = 0.35

# What crosses until a device gives its first answer to an opening: 36 octets to it, 24 back. Then `AT+FOBOPEN=1`,
# CONNECT and both handshake messages: two round trips, and a third for a message that is lost on the way.
FIRST_ANSWER_OCTETS: Final = 64
HANDSHAKE_OCTETS: Final = 256
ROUND_TRIPS_TO_OPEN: Final = 2

# A bonded device that is near advertises, is heard, connected to and subscribed to within this time. A break is
# noticed within 0.42 s (as Linux or Fob connects): with RECONNECT_GRACE a program hears in two seconds.
RADIO_REOPENING: Final = 1.0
# Encrypting, the MTU, the discovery of the service, the subscription; two for packets that are lost on the way.
ROUND_TRIPS_TO_REOPEN: Final = 12


@dataclass(frozen=True, slots=True)
class Pace:
    """What a line itself takes, whoever is at its other end.

    `rate`: octets per second, None for a line without a speed of its own. `round_trip`: the most seconds between a
    question and its answer beside what their octets take. All times here are in seconds.
    """

    rate: float | None = None
    round_trip: float = 0.0

    @property
    def delay(self) -> float:
        """What a round trip takes beyond that of a quick line."""
        return max(self.round_trip - QUICK_ROUND_TRIP, 0.0)

    def crossing(self, octets: int) -> float:
        """What octets take to cross."""
        return octets / self.rate if self.rate else 0.0

    def stretched(self, deadline: float) -> float:
        """A deadline on what takes several round trips."""
        return deadline * max(self.round_trip / UNHURRIED_ROUND_TRIP, 1.0)

    @property
    def parts_in_flight(self) -> int:
        """How many parts of long texts may be under way: no more than cross in a second, so that short ones pass."""
        if self.rate is None:
            return PARTS_IN_FLIGHT
        return min(PARTS_IN_FLIGHT, max(1, int(self.rate / FRAME_LIMIT)))

    @property
    def events_in_flight(self) -> int:
        """How many events may be unconfirmed: no more than cross in half a second, so that answers pass."""
        if self.rate is None:
            return EVENTS_WAITING
        return max(EVENTS_IN_FLIGHT, int(self.rate * EVENTS_TIME / TYPICAL_EVENT))

    @property
    def poll_spacing(self) -> float:
        """The time from one poll to the next, so that all of them take no more than POLL_SHARE of the line."""
        return max(self.crossing(POLL_OCTETS), self.round_trip / RECORDS_PER_ROUND_TRIP) / POLL_SHARE

    @property
    def retry_after(self) -> float:
        """When a request is sent again, beside what octets take: a device answers, or reports WORKING, before that."""
        return RETRY_AFTER + self.delay

    @property
    def step_time(self) -> float:
        """When a step of a handshake or a pairing is sent again."""
        return self.retry_after + self.crossing(2 * FRAME_LIMIT)

    @property
    def lost_after(self) -> float:
        """The silence, while an answer is due, after which the link is given up."""
        return RETRIES_BEFORE_LOST * self.retry_after + self.crossing(2 * FRAME_LIMIT)

    @property
    def command_time(self) -> float:
        """How long a device in command state is waited for."""
        return COMMAND_TIME + self.delay + self.crossing(COMMAND_OCTETS)

    @property
    def first_answer_time(self) -> float:
        """How long after a break a device is waited for to answer at all."""
        return RECONNECT_GRACE + self.delay + self.crossing(FIRST_ANSWER_OCTETS)

    @property
    def opening_time(self) -> float:
        """How long a device that answered is waited for to be in a session, one handshake message lost on the way."""
        octets = HANDSHAKE_OCTETS + 2 * FRAME_LIMIT
        return RECONNECT_GRACE + self.retry_after + ROUND_TRIPS_TO_OPEN * self.delay + self.crossing(octets)

    @property
    def radio_reopening_time(self) -> float:
        """How long a radio's connection takes to be there again."""
        return RADIO_REOPENING + ROUND_TRIPS_TO_REOPEN * self.delay

    @property
    def silence(self) -> float:
        """How long a PC that waits for an answer and a device hear nothing of each other at most, while both are there.

        The PC polls, and takes the link for lost when nothing comes of that.
        """
        return max(WORKING_POLL, self.poll_spacing) + self.lost_after

    @property
    def recall_grace(self) -> float:
        """How long after a session began, or after the last FOBRECALL, the device waits for the (next) FOBRECALL.

        A PC recalls at once all that it still wants, and would have given up a link that is silent for so long.
        """
        return self.lost_after

    @property
    def next_session_time(self) -> float:
        """How long after a session ended the device waits for the PC's next one.

        The PC may notice the break late, and then waits for a device to answer and to be in a session.
        """
        return self.silence + self.radio_reopening_time + self.first_answer_time + self.opening_time

    @property
    def on_its_way(self) -> float:
        """How long an answer that went out may cross with a poll for it, and is not sent again for that.

        On a quick line none is: there an answer that is sent twice costs less than one that is asked for once more.
        """
        return self.retry_after if self.delay else 0.0

    def event_retry(self, tries: int) -> float:
        """When an event that was sent `tries` times, once or more, is sent again: each time after twice as long.

        An answer may be on its way before it.
        """
        return (EVENT_RETRY_FIRST + self.delay + self.crossing(FRAME_LIMIT)) * float(2 ** (tries - 1))


class Paced(Protocol):
    """A line, as far as its pace goes."""

    @property
    def pace(self) -> Pace:
        """As far as it is known now."""

    def took(self, seconds: float) -> None:
        """A question was answered so many seconds after it was first sent: news for a line that measures its pace."""


@dataclass(slots=True)
class Steady:
    """Paced, by what is known from the beginning."""

    pace: Pace = Pace()

    def took(self, seconds: float) -> None:
        """No news."""
