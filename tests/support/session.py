"""The two ends of a session as a test drives them: a Requester and a Responder behind their frame readers."""

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from fob_protocol.at.answer import Answer, decode_answer
from fob_protocol.link.frames import Frame, FrameReader
from fob_protocol.noise.keys import Random
from fob_protocol.session.handshake import SessionKeys
from fob_protocol.session.pace import Pace, Steady
from fob_protocol.session.records import Opener, Sealer
from fob_protocol.session.request import Request
from fob_protocol.session.requester import Answered, Counters, EventArrived, Requester
from fob_protocol.session.responder import Closed, Responder, Run, Withdraw
from fob_protocol.session.timing import LineTiming
from support.wire import Clock, Direction, Wire

# What the device does with a request's text: how many seconds it takes, and the answer. None: the test answers.
Work = Callable[[bytes], tuple[float, bytes] | None]


def seeded(seed: int) -> Random:
    """Random octets that are the same in every run."""
    return random.Random(seed).randbytes


def session_keys(seed: int = 1) -> tuple[SessionKeys, SessionKeys]:
    """The record keys of the PC and of the device, as a handshake would leave them."""
    octets = seeded(seed)
    to_device, to_pc = octets(32), octets(32)
    return SessionKeys(to_device, to_pc), SessionKeys(to_pc, to_device)


def echo(text: bytes) -> tuple[float, bytes]:
    """Work that takes no time and answers with the request's own text."""
    return 0.0, b"answer to " + text


def slow(text: bytes) -> tuple[float, bytes] | None:
    """Work: `wait` stays open until the test answers; everything else is answered at once."""
    return None if text == b"wait" else echo(text)


@dataclass
class PcEnd:
    """The PC: `ask` and look at `answers`."""

    requester: Requester
    clock: Clock
    answers: dict[Request, bytes] = field(default_factory=dict)
    events: list[bytes] = field(default_factory=list)
    frames_seen: Counter[str] = field(default_factory=Counter)
    lost_at: float | None = None
    _reader: FrameReader = field(default_factory=FrameReader)

    def ask(self, text: bytes) -> Request:
        """Submit a request."""
        return self.requester.submit(text)

    def receive(self, octets: bytes, now: float) -> None:
        """Octets of the line."""
        for frame in self._reader.feed(octets):
            self.frames_seen[frame.kind.name] += 1
            self.take(frame, now)

    def take(self, frame: Frame, now: float) -> None:
        """One frame."""
        match self.requester.receive(frame, now):
            case Answered(request, text):
                assert request not in self.answers, "a request was answered twice"
                self.answers[request] = text
            case EventArrived(_, text):
                self.events.append(text)

    def due(self, now: float) -> bytes:
        """Octets to write."""
        if self.lost_at is None and self.requester.is_lost(now):
            self.lost_at = now
        return b"".join(frame.to_bytes() for frame in self.requester.due(now))

    def next_timer(self) -> float | None:
        """When to look again."""
        return self.requester.next_timer()


@dataclass
class DeviceEnd:
    """The device: it runs requests by `work` and notes each run."""

    responder: Responder
    work: Work
    runs: list[tuple[int, bytes]] = field(default_factory=list)
    withdrawn: list[int] = field(default_factory=list)
    frames_seen: Counter[str] = field(default_factory=Counter)
    closed: bool = False
    _finishing: dict[int, tuple[float, bytes]] = field(default_factory=dict)
    _reader: FrameReader = field(default_factory=FrameReader)

    def receive(self, octets: bytes, now: float) -> None:
        """Octets of the line."""
        for frame in self._reader.feed(octets):
            self.frames_seen[frame.kind.name] += 1
            self.take(frame, now)

    def take(self, frame: Frame, now: float) -> None:
        """One frame."""
        match self.responder.receive(frame, now):
            case Run(number, text):
                self._run(number, text, now)
            case Withdraw(number):
                self.withdrawn.append(number)
            case Closed():
                self.closed = True

    def due(self, now: float) -> bytes:
        """Octets to write."""
        for number, (end, text) in list(self._finishing.items()):
            if end <= now:
                del self._finishing[number]
                self.responder.answer(number, text)
        return b"".join(frame.to_bytes() for frame in self.responder.due(now))

    def next_timer(self) -> float | None:
        """When to look again."""
        ends = [end for end, _ in self._finishing.values()]
        timer = self.responder.next_timer()
        return min(ends if timer is None else [*ends, timer], default=None)

    def _run(self, number: int, text: bytes, now: float) -> None:
        self.runs.append((number, text))
        done = self.work(text)
        if done is not None and done[0] <= 0:
            self.responder.answer(number, done[1])
        elif done is not None:
            self._finishing[number] = (now + done[0], done[1])


@dataclass
class Session:
    """A PC, a device and the wire between them."""

    pc: PcEnd
    device: DeviceEnd
    wire: Wire
    counters: Counters

    def ask(self, text: bytes, *, within: float = 60.0) -> bytes:
        """One request, and its answer."""
        request = self.pc.ask(text)
        self.wire.run_until(lambda: request in self.pc.answers, within=within)
        return self.pc.answers[request]


def open_session(
    work: Work = echo,
    *,
    to_device: Direction | None = None,
    to_pc: Direction | None = None,
    rate: float | None = None,
    seed: int = 1,
) -> Session:
    """A session just after its handshake."""
    pc_keys, device_keys = session_keys(seed)
    clock, counters = Clock(), Counters()
    pc = PcEnd(Requester(pc_keys, LineTiming(Steady(Pace(rate))), clock.now, counters), clock)
    device = DeviceEnd(Responder(device_keys), work)
    return Session(pc, device, Wire(pc, device, clock=clock, to_device=to_device, to_pc=to_pc), counters)


def one_sided() -> tuple[Sealer, Responder]:
    """A device, and the means to say anything to it that a PC with the right keys could."""
    pc_keys, device_keys = session_keys()
    return Sealer(pc_keys.send), Responder(device_keys)


def answer_sent(responder: Responder) -> Answer:
    """The one answer that the device sends now."""
    [frame] = responder.due(0.0)
    return decode_answer(Opener(session_keys()[0].receive).open(frame, frame.fields[0]))
