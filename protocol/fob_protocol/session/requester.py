"""The PC's side of a session: requests out, answers and events in (docs/protocol.md, sections 3.2 to 3.5)."""

import math
from collections import deque
from dataclasses import dataclass, field

from fob_protocol.errors import RecordError
from fob_protocol.limits import EVENTS_WAITING, TRIES_LIMIT, WINDOW
from fob_protocol.link.frames import Frame, Kind
from fob_protocol.session.handshake import SessionKeys
from fob_protocol.session.parts import WHOLE_PARTS
from fob_protocol.session.polls import Polls
from fob_protocol.session.records import NUMBER_SPAN, Opener, Sealer, complete_number
from fob_protocol.session.request import FRAME_OVERHEAD, Request
from fob_protocol.session.room import Room
from fob_protocol.session.timing import LineTiming


@dataclass(frozen=True, slots=True)
class Answered:
    """The answer of a request arrived."""

    request: Request
    text: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class EventArrived:
    """The device announced something; what it announced later has a higher number, whichever came first."""

    number: int
    text: bytes


@dataclass(slots=True)
class Counters:
    """What crossed the line, for people and tests. A keepalive is no round trip: nobody asked for it."""

    round_trips: int = 0
    keepalives: int = 0
    sent_again: int = 0
    not_opened: int = 0


class Requester:
    """Numbers requests, sends them again when they are late, matches answers. No I/O: frames and the time go in.

    After each `submit`, `cancel` and `receive`, and when `next_timer` is due, the caller writes what `due` gives.
    """

    def __init__(self, keys: SessionKeys, timing: LineTiming, now: float, counters: Counters | None = None) -> None:
        self._sealer = Sealer(keys.send)
        self._opener = Opener(keys.receive)
        self._timing = timing
        self._counters = counters or Counters()
        self._waiting: deque[Request] = deque()
        self._has_passed = False
        self._open: dict[int, Request] = {}
        self._ready: deque[Request] = deque()
        self._withdrawn: deque[Request] = deque()
        self._polls = Polls(timing)
        self._notices: list[Frame] = []
        self._next_number = 0
        self._highest_event = 0
        self._events_seen: set[int] = set()
        self._silent_since = now

    @property
    def outstanding(self) -> list[Request]:
        """Requests without an answer, those sent first."""
        return [*self._open.values(), *self._waiting]

    @property
    def is_crowded(self) -> bool:
        """True when no more requests may wait for the device's person: further ones wait here."""
        return Room(self._open.values()).is_crowded

    def submit(self, text: bytes, *, is_keepalive: bool = False, may_wait: bool = True) -> Request:
        """Queue a command's text; `may_wait` if for the device's person. Raises ValueError over TEXT_LIMIT."""
        request = Request(text, is_keepalive, may_wait)
        self._waiting.append(request)
        return request

    def cancel(self, request: Request) -> None:
        """Withdraw a request: one never sent is forgotten, another is cancelled at the device."""
        if not request.sent:
            if request in self._waiting:
                self._waiting.remove(request)
        elif self._open.get(request.number or 0) is request and not request.cancelled:
            request.cancel()
            self._withdrawn.append(request)

    def receive(self, frame: Frame, now: float) -> Answered | EventArrived | None:
        """Take a record. One that does not open, or that nobody waits for, is counted and changes nothing."""
        try:
            happening = self._open_event(frame) if frame.kind is Kind.EVENT else self._open_reply(frame, now)
        except RecordError:
            self._counters.not_opened += 1
            return None
        self._silent_since = now
        return happening

    def due(self, now: float) -> list[Frame]:
        """The frames to write now: notices, answers to what came in, new requests, requests that are late."""
        frames, self._notices = self._notices, []
        for request in self._late(now):
            self._ask_again(request, now)
        while (resting := self._polls.due(self._open.values(), now)) is not None:
            self._break_silence(now)
            self._ask_again(resting, now)
        self._admit(now)
        while self._ready:
            frames += self._write(self._ready.popleft(), now)
        while self._withdrawn and self._timing.room_at() <= now:
            frames += self._withdraw(self._withdrawn.popleft(), now)
        for request in self._open.values():
            if request.in_parts:
                frames += self._write(request, now)
        return frames

    def next_timer(self) -> float | None:
        """When `due` has to be called at the latest."""
        asked = [request.due_at for request in self._open.values() if not request.is_resting]
        withdrawals = [self._timing.room_at()] if self._withdrawn else []
        soonest = min(*asked, *withdrawals, self._polls.next_at(self._open.values()), math.inf)
        return None if soonest == math.inf else soonest

    def is_lost(self, now: float) -> bool:
        """True when an answer is overdue and the device has been silent for too long, or never answers one request."""
        late = [request for request in self._open.values() if request.due_at <= now and not request.is_resting]
        return bool(late) and (now >= self._lost_at() or any(request.tries > TRIES_LIMIT for request in late))

    def close(self) -> Frame:
        """The frame that ends the session."""
        return self._sealer.seal(Kind.CLOSE, 0)

    def _write(self, request: Request, now: float) -> list[Frame]:
        """The frames of one request that may go now; its timer starts when there are any."""
        under_way = sum(other.in_flight for other in self._open.values() if other.in_parts)
        frames = request.frames(self._sealer, self._timing.parts_in_flight - under_way)
        if frames:
            octets = sum(len(frame.body) + FRAME_OVERHEAD for frame in frames)
            awaited = sum(other.awaited for other in self._open.values() if other is not request)
            request.due_at = self._timing.sent(octets, now, awaited)
            if request.tries and now < self._lost_at() < request.due_at:
                request.due_at = self._lost_at()  # what was asked in vain is not waited for longer
        return frames

    def _lost_at(self) -> float:
        """When silence has lasted too long."""
        return self._silent_since + self._timing.lost_after()

    def _late(self, now: float) -> list[Request]:
        return [request for request in self._open.values() if request.due_at <= now and not request.is_resting]

    def _ask_again(self, request: Request, now: float) -> None:
        if request.parked and not request.in_parts:
            self._polls.asked(now)
        request.late()
        self._counters.sent_again += 1
        self._ready.append(request)

    def _break_silence(self, now: float) -> None:
        """Something is asked. The silence while nothing was is nobody's fault."""
        if all(request.is_resting for request in self._open.values()):
            self._silent_since = now

    def _withdraw(self, request: Request, now: float) -> list[Frame]:
        """A CANCEL, unless the answer came first."""
        if self._open.get(request.number or 0) is not request:
            return []
        self._break_silence(now)
        return self._write(request, now)

    def _admit(self, now: float) -> None:
        """Give numbers to waiting requests while the device's window has room."""
        while self._waiting and self._window_has_room():
            request = self._next_waiting(Room(self._open.values()))
            if request is None:
                return
            self._waiting.remove(request)
            self._break_silence(now)
            request.number = self._next_number
            request.asked_at = now
            self._next_number += 1
            self._open[request.number] = request
            self._ready.append(request)
            if request.is_keepalive:
                self._counters.keepalives += 1
            else:
                self._counters.round_trips += 1

    def _next_waiting(self, room: Room) -> Request | None:
        """The oldest that may go, or the oldest that needs nobody: in turns, so that neither waits for long."""
        may_go = [] if room.is_full else [request for request in self._waiting if room.takes(request)]
        oldest = may_go[0] if may_go else None
        passing = next((request for request in may_go if not request.may_wait), None)
        self._has_passed = passing is not None and passing is not oldest and not self._has_passed
        return passing if self._has_passed else oldest

    def _window_has_room(self) -> bool:
        unparked = min((n for n, request in self._open.items() if not request.parked), default=self._next_number)
        oldest = min(self._open, default=self._next_number)
        return self._next_number - unparked < WINDOW and self._next_number - oldest < NUMBER_SPAN // 4

    def _open_reply(self, frame: Frame, now: float) -> Answered | None:
        if frame.kind not in _REPLIES:
            raise RecordError(f"{frame.kind.name} is not for a PC")
        number = complete_number(frame.fields[0], self._next_number)
        text = self._opener.open(frame, number)
        request = self._open.get(number)
        if request is None:
            self._release(frame.kind, number)
            return None
        if request.asked_at is not None:
            self._timing.line.took(now - request.asked_at)
            request.asked_at = None
        whole = self._take(request, frame, text, now)
        if whole is None:
            return None
        del self._open[number]
        self._timing.answered(now, sum(other.octets_under_way for other in self._open.values()))
        if request.parked:
            self._notices.append(self._sealer.seal(Kind.RELEASE, number))
            self._expect_burst(now)
        return Answered(request, whole)

    def _expect_burst(self, now: float) -> None:
        """One tap may answer many: over a line with a rate, what was asked meanwhile is answered behind them."""
        if self._timing.line.pace.rate is None:
            return
        self._polls.answered(now)
        for request in self._open.values():
            if not request.is_resting:
                request.due_at = max(request.due_at, self._timing.behind_others(now))

    def _take(self, request: Request, frame: Frame, text: bytes, now: float) -> bytes | None:
        if frame.kind is Kind.ANSWER:
            return text
        if frame.kind is Kind.WORKING:
            request.working(now)
            return None
        _, index, *total = frame.fields
        if frame.kind is Kind.PART_RECEIVED:
            request.part_received(index)
            return None
        whole = request.answer_part(index, total[0], text)
        if index == 0 and total[0] <= WHOLE_PARTS:
            # The other one comes behind it.
            request.due_at = self._timing.behind_others(now)
        return whole

    def _release(self, kind: Kind, number: int) -> None:
        """An answer that came twice: the device may still keep it, so let it go again."""
        if kind in (Kind.ANSWER, Kind.ANSWER_PART) and number < self._next_number:
            self._notices.append(self._sealer.seal(Kind.RELEASE, number))

    def _open_event(self, frame: Frame) -> EventArrived | None:
        number = complete_number(frame.fields[0], self._highest_event)
        text = self._opener.open(frame, number)
        self._notices.append(self._sealer.seal(Kind.EVENT_RECEIVED, number))
        if number in self._events_seen or number + EVENTS_WAITING <= self._highest_event:
            return None
        self._highest_event = max(self._highest_event, number)
        self._events_seen = {n for n in self._events_seen if n + EVENTS_WAITING > self._highest_event} | {number}
        return EventArrived(number, text)


_REPLIES = frozenset({Kind.ANSWER, Kind.ANSWER_PART, Kind.PART_RECEIVED, Kind.WORKING})
