"""The device's side of a session: each request runs once, its answer is kept (docs/protocol.md, section 3.2)."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, auto

from fob_protocol.at.answer import Answer, encode_answer
from fob_protocol.errors import RecordError
from fob_protocol.limits import (
    ASSEMBLIES_LIMIT,
    HELD_OCTETS,
    NUMBER_LIMIT,
    OUTSTANDING_LIMIT,
    PARKED_LIMIT,
    TEXT_LIMIT,
    WINDOW,
    WORKING_AFTER,
)
from fob_protocol.link.frames import Frame, Kind
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.session.acknowledgements import Acknowledgements
from fob_protocol.session.announcements import Announcements
from fob_protocol.session.handshake import SessionKeys
from fob_protocol.session.pace import Pace
from fob_protocol.session.parts import PARTS_LIMIT, WHOLE_PARTS, Assembly, split_text
from fob_protocol.session.records import Opener, Sealer, complete_number


@dataclass(frozen=True, slots=True)
class Run:
    """A request arrived whole, for the first and only time."""

    number: int
    text: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Withdraw:
    """The PC no longer waits for this request; it still gets one answer."""

    number: int


@dataclass(frozen=True, slots=True)
class Closed:
    """The PC ended the session."""


Happening = Run | Withdraw | Closed


class Stage(Enum):
    """What the device has of a request."""

    ASSEMBLING = auto()
    RUNNING = auto()
    ANSWERED = auto()


@dataclass(slots=True)
class Entry:
    """The memory of one request."""

    stage: Stage
    received_at: float
    # Octets of its text, once it is here whole.
    size: int = 0
    assembly: Assembly | None = None
    answer: list[Frame] = field(default_factory=list, repr=False)
    # When the answer, or the first part of it, went out last.
    sent_at: float = math.inf
    parked: bool = False

    @property
    def octets(self) -> int:
        """Of its answer."""
        return sum(len(frame.body) for frame in self.answer)


class Responder:
    """Takes records, tells what to run, keeps answers. No I/O: frames and the time go in.

    The caller writes what `due` gives after each call and when `next_timer` is due. `pace`: the line's, at any time.
    """

    def __init__(self, keys: SessionKeys, pace: Callable[[], Pace] = Pace) -> None:
        self._pace = pace
        self._sealer = Sealer(keys.send)
        self._opener = Opener(keys.receive)
        self._entries: dict[int, Entry] = {}
        self._highest = -1
        self._outbox: list[Frame] = []
        self._going_out: list[Entry] = []
        self._acknowledgements = Acknowledgements()
        self._announcements = Announcements(self._sealer, pace)
        self.not_opened = 0
        self.answered_again = 0

    @property
    def pace(self) -> Pace:
        """The line's, as far as it is known now."""
        return self._pace()

    def receive(self, frame: Frame, now: float) -> Happening | None:
        """Take a record. One that does not open, or is too old, is counted and changes nothing."""
        try:
            return self._dispatch(frame, now)
        except RecordError:
            self.not_opened += 1
            return None

    def answer(self, number: int, text: bytes) -> None:
        """The answer of a request that ran. Raises ValueError for a second one and over TEXT_LIMIT; nothing changes."""
        entry = self._entries.get(number)
        if entry is None or entry.stage is not Stage.RUNNING:
            raise ValueError(f"request {number} is not running")
        entry.answer = self._seal_answer(number, text)
        entry.stage = Stage.ANSWERED
        self._entries[number] = self._entries.pop(number)  # the order of answering, for `_forget`
        self._send_answer(entry)
        self._forget()

    def emit(self, text: bytes, now: float) -> int:
        """Announce something, and give its number; the oldest announcement gives way when too many wait."""
        return self._announcements.add(text, now)

    def is_waiting(self, number: int) -> bool:
        """True for an announcement that the PC has not confirmed, and that will be sent again."""
        return number in self._announcements

    def retract(self, number: int) -> None:
        """Send an announcement no more."""
        self._announcements.remove(number)

    def due(self, now: float) -> list[Frame]:
        """The frames to write now."""
        self._report_working(now)
        for number, index in self._acknowledgements.due(now):
            self._acknowledge(number, index)
        frames, self._outbox = self._outbox, []
        for entry in self._going_out:
            entry.sent_at = now
        self._going_out.clear()
        return frames + self._announcements.due(now)

    def next_timer(self) -> float | None:
        """When `due` has to be called at the latest."""
        unreported = [e.received_at + WORKING_AFTER for e in self._entries.values() if _is_unreported(e)]
        return min([*unreported, *self._acknowledgements.timers(), *self._announcements.timers()], default=None)

    def _dispatch(self, frame: Frame, now: float) -> Happening | None:
        if frame.kind is Kind.CLOSE:
            self._opener.open(frame, 0)
            return Closed()
        if frame.kind is Kind.EVENT_RECEIVED:
            number = complete_number(frame.fields[0], self._announcements.next_number)
            self._opener.open(frame, number)
            self._announcements.remove(number)
            return None
        if frame.kind not in _REQUESTS:
            raise RecordError(f"{frame.kind.name} is not for a device")
        number = complete_number(frame.fields[0], max(self._highest, 0))
        text = self._opener.open(frame, number)
        if number not in self._entries and number <= self._highest - WINDOW:
            raise RecordError("a number below the window")
        if number >= NUMBER_LIMIT:
            raise RecordError("the session is used up")
        return self._handle(frame, number, text, now)

    def _handle(self, frame: Frame, number: int, text: bytes, now: float) -> Happening | None:
        entry = self._entries.get(number)
        match frame.kind:
            case Kind.RELEASE:
                if entry is not None and entry.stage is Stage.ANSWERED:
                    entry.parked = False
                    self._forget()
            case Kind.CANCEL:
                return self._cancel(number, entry, now)
            case Kind.FETCH:
                self._fetch(number, entry, frame.fields[1], now)
            case Kind.REQUEST:
                return self._request(number, entry, text, now)
            case Kind.REQUEST_PART:
                return self._part(number, entry, frame.fields, text, now)
        return None

    def _request(self, number: int, entry: Entry | None, text: bytes, now: float) -> Run | None:
        if entry is None:
            return self._start(number, self._remember(number, Stage.RUNNING, now), text)
        self._repeat(number, entry, now)
        return None

    def _part(self, number: int, entry: Entry | None, fields: tuple[int, ...], text: bytes, now: float) -> Run | None:
        _, index, total = fields
        if entry is None and total > PARTS_LIMIT:
            self._refuse_unseen(number, now, Ckr.DATA_LEN_RANGE, f"a text of more than {TEXT_LIMIT} octets")
            return None
        if entry is None:
            entry = self._begin_assembly(number, total, now)
        if entry.stage is Stage.ANSWERED:
            self._repeat(number, entry, now)
            return None
        if entry.stage is not Stage.ASSEMBLING or entry.assembly is None:
            self._acknowledge(number, index)
            self._repeat(number, entry, now)
            return None
        entry.assembly.add(index, total, text)
        whole = entry.assembly.text()
        if whole is None:
            self._acknowledgements.add(number, index, now)
            return None
        self._acknowledgements.forget(number)
        return self._start(number, entry, whole)

    def _acknowledge(self, number: int, index: int) -> None:
        self._outbox.append(self._sealer.seal(Kind.PART_RECEIVED, number, part=(index,)))

    def _begin_assembly(self, number: int, total: int, now: float) -> Entry:
        if sum(e.stage is Stage.ASSEMBLING for e in self._entries.values()) >= ASSEMBLIES_LIMIT:
            raise RecordError("too many long texts at once")
        assembly = Assembly(total)
        entry = self._remember(number, Stage.ASSEMBLING, now)
        entry.assembly = assembly
        return entry

    def _start(self, number: int, entry: Entry, text: bytes) -> Run | None:
        entry.stage = Stage.RUNNING
        entry.assembly = None
        entry.size = len(text)
        too_much = self._too_much()
        if too_much:
            self._refuse(number, Ckr.DEVICE_MEMORY, too_much)
            return None
        return Run(number, text)

    def _too_much(self) -> str:
        """Why one of the requests that run has to be refused, nothing if none has."""
        running = [entry for entry in self._entries.values() if entry.stage is Stage.RUNNING]
        if sum(not entry.parked for entry in running) > OUTSTANDING_LIMIT:
            return f"more than {OUTSTANDING_LIMIT} requests at once"
        if len(running) > OUTSTANDING_LIMIT + PARKED_LIMIT:
            return f"more than {PARKED_LIMIT} requests wait"
        if sum(entry.size for entry in running) > HELD_OCTETS:
            return f"requests of more than {HELD_OCTETS} octets at once"
        return ""

    def _cancel(self, number: int, entry: Entry | None, now: float) -> Withdraw | None:
        if entry is None or entry.stage is Stage.ASSEMBLING:
            self._refuse_unseen(number, now, Ckr.FUNCTION_CANCELED)
            return None
        self._repeat(number, entry, now)
        return Withdraw(number) if entry.stage is Stage.RUNNING else None

    def _fetch(self, number: int, entry: Entry | None, index: int, now: float) -> None:
        if entry is None or entry.stage is Stage.ASSEMBLING:
            raise RecordError("no such request")
        if entry.stage is Stage.RUNNING or index == 0:
            self._repeat(number, entry, now)
        elif index >= len(entry.answer):
            raise RecordError("no such part of an answer")
        else:
            self._outbox.append(entry.answer[index])

    def _repeat(self, number: int, entry: Entry, now: float) -> None:
        """The PC asks again: the same answer again, or a sign of life.

        An answer that went out a moment ago is on its way: the PC asked before it came.
        """
        if entry.stage is not Stage.ANSWERED:
            self._park(number, entry)
        elif now - entry.sent_at >= self._pace().on_its_way:
            self.answered_again += 1
            self._send_answer(entry)

    def _send_answer(self, entry: Entry) -> None:
        self._outbox += entry.answer if len(entry.answer) <= WHOLE_PARTS else entry.answer[:1]
        self._going_out.append(entry)

    def _park(self, number: int, entry: Entry) -> None:
        entry.parked = True
        self._outbox.append(self._sealer.seal(Kind.WORKING, number))

    def _report_working(self, now: float) -> None:
        for number, entry in self._entries.items():
            if _is_unreported(entry) and entry.received_at + WORKING_AFTER <= now:
                self._park(number, entry)

    def _refuse(self, number: int, ckr: Ckr, words: str = "") -> None:
        self.answer(number, encode_answer(Answer(ckr=ckr, words=words)))

    def _refuse_unseen(self, number: int, now: float, ckr: Ckr, words: str = "") -> None:
        """Refuse a request that is not here whole, so that it will not run when the rest of it comes."""
        self._remember(number, Stage.RUNNING, now)
        self._refuse(number, ckr, words)

    def _remember(self, number: int, stage: Stage, now: float) -> Entry:
        entry = Entry(stage, now)
        self._entries[number] = entry
        self._highest = max(self._highest, number)
        self._forget()
        return entry

    def _forget(self) -> None:
        """Let go of answers that the PC can no longer ask for, and of parked ones over the bound, first answered first.

        Only below the window: a number inside it that is forgotten would run again.
        """
        below = [(n, e) for n, e in self._entries.items() if n <= self._highest - WINDOW]
        for number, entry in below:
            if _is_done(entry):
                del self._entries[number]
        parked = [n for n, e in below if e.parked and e.stage is Stage.ANSWERED]
        kept, octets = 0, 0
        for number in reversed(parked):
            kept, octets = kept + 1, octets + self._entries[number].octets
            if kept > PARKED_LIMIT or octets > HELD_OCTETS:
                del self._entries[number]

    def _seal_answer(self, number: int, text: bytes) -> list[Frame]:
        parts = split_text(text)
        if len(parts) == 1:
            return [self._sealer.seal(Kind.ANSWER, number, text)]
        return [
            self._sealer.seal(Kind.ANSWER_PART, number, part, part=(index, len(parts)))
            for index, part in enumerate(parts)
        ]


_REQUESTS = frozenset({Kind.REQUEST, Kind.REQUEST_PART, Kind.FETCH, Kind.CANCEL, Kind.RELEASE})


def _is_unreported(entry: Entry) -> bool:
    return entry.stage is Stage.RUNNING and not entry.parked


def _is_done(entry: Entry) -> bool:
    return (entry.stage is Stage.ANSWERED and not entry.parked) or entry.stage is Stage.ASSEMBLING
