"""A PC and a device in any order of events over a line in any mood: each request runs once and is answered right."""

from collections import Counter

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from fob_protocol.at.answer import Answer, encode_answer
from fob_protocol.limits import EVENTS_WAITING, OUTSTANDING_LIMIT, PARKED_LIMIT, WINDOW
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.session.request import Request
from support.footprint import octets_held
from support.noise import OctetNoise
from support.session import open_session
from support.wire import Direction

CANCELLED = encode_answer(Answer(ckr=Ckr.FUNCTION_CANCELED))
LONGEST = 3_000
# Every answer that a device may keep with its seals, and what it puts together; the PC's part is smaller.
MEMORY = (WINDOW + PARKED_LIMIT + 2 * OUTSTANDING_LIMIT) * 2 * LONGEST + EVENTS_WAITING * 100


def answer_to(text: bytes) -> bytes:
    """The right answer: every third is long."""
    number = int(text.split(b"=")[1].split(b",")[0])
    return b"answer %d," % number + b"y" * (LONGEST - 20 if number % 3 == 0 else 10)


class SessionMachine(RuleBasedStateMachine):
    """Hypothesis plays both persons, the programs on the PC, and the weather on the line."""

    def __init__(self) -> None:
        super().__init__()
        self.noises = OctetNoise(0.0, 1), OctetNoise(0.0, 2)
        to_device, to_pc = (Direction(0.01, noise=noise) for noise in self.noises)
        self.session = open_session(self.work, to_device=to_device, to_pc=to_pc)
        self.requests: list[Request] = []
        self.dropped: set[Request] = set()
        self.cancelled: set[Request] = set()
        self.waiting: list[tuple[int, bytes]] = []
        self.events = 0

    def work(self, text: bytes) -> tuple[float, bytes] | None:
        """Some are answered at once, the rest when a rule says so."""
        if b"now" in text:
            return 0.0, answer_to(text)
        self.waiting.append((len(self.session.device.runs) - 1, text))
        return None

    @rule(long=st.booleans(), at_once=st.booleans())
    def ask(self, *, long: bool, at_once: bool) -> None:
        """A program asks."""
        text = b"AT+C_SIGN=%d,%b" % (len(self.requests), b"now" if at_once else b"later")
        self.requests.append(self.session.pc.ask(text + b"x" * (LONGEST - 40 if long else 32)))

    @precondition(lambda self: self.requests)
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        """A program goes away."""
        request = data.draw(st.sampled_from(self.requests))
        (self.cancelled if request.sent else self.dropped).add(request)
        self.session.pc.requester.cancel(request)

    @precondition(lambda self: self.waiting)
    @rule(data=st.data())
    def answer(self, data: st.DataObject) -> None:
        """A person taps."""
        run, text = self.waiting.pop(data.draw(st.integers(0, len(self.waiting) - 1)))
        self.session.device.responder.answer(self.session.device.runs[run][0], answer_to(text))

    @rule()
    def announce(self) -> None:
        """The device has news."""
        self.session.device.responder.emit(b"+FOBGEN: %d" % self.events, self.session.wire.clock.now)
        self.events += 1

    @rule(seconds=st.sampled_from([0.0, 0.005, 0.02, 0.1, 0.3, 1.5, 5.0]))
    def time_passes(self, seconds: float) -> None:
        """Whatever is due happens."""
        self.session.wire.run_for(seconds)

    @rule(way=st.integers(0, 1), rate=st.sampled_from([0.0, 0.0, 0.001, 0.01, 0.2]))
    def weather_changes(self, way: int, rate: float) -> None:
        """One direction gets better or worse."""
        self.noises[way].rate = rate

    @rule(way=st.integers(0, 1), is_cut=st.booleans())
    def cable(self, way: int, *, is_cut: bool) -> None:
        """Somebody pulls it out, or puts it in."""
        direction = (self.session.wire.to_device, self.session.wire.to_pc)[way]
        if is_cut:
            direction.cut()
        else:
            direction.mend()

    @invariant()
    def nothing_ran_twice(self) -> None:
        """Neither by number nor by text."""
        for runs in zip(*self.session.device.runs, strict=True):
            assert max(Counter(runs).values()) == 1

    @invariant()
    def what_was_answered_is_right(self) -> None:
        """The right answer, or that it was withdrawn."""
        for request, answer in self.session.pc.answers.items():
            allowed = {answer_to(request.text)} | ({CANCELLED} if request in self.cancelled else set())
            assert answer in allowed

    @invariant()
    def events_come_once(self) -> None:
        """No event is told twice."""
        assert len(self.session.pc.events) == len(set(self.session.pc.events))

    def teardown(self) -> None:
        """In good weather everything that is open comes to its end."""
        self.session.wire.mend()
        for noise in self.noises:
            noise.rate = 0.0
        limit = self.session.wire.clock.now + 60.0
        while self.open_requests():
            self.session.wire.run_for(0.5)
            while self.waiting:
                run, text = self.waiting.pop()
                self.session.device.responder.answer(self.session.device.runs[run][0], answer_to(text))
            assert self.session.wire.clock.now < limit, "a request that never ends"
        self.session.wire.run_for(1.0)
        self.what_was_answered_is_right()
        self.nothing_ran_twice()
        assert octets_held(self.session.device.responder) < MEMORY
        # Requests of this test keep their texts; the Requester holds none of them any more.
        assert octets_held(self.session.pc.requester) < 5_000

    def open_requests(self) -> list[Request]:
        """Those that were neither answered nor forgotten before they were sent."""
        return [r for r in self.requests if r not in self.dropped and r not in self.session.pc.answers]


TestSessionMachine = pytest.mark.clause("P7")(SessionMachine.TestCase)
TestSessionMachine.settings = settings(max_examples=100, stateful_step_count=50)
