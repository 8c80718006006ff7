"""Seeded faults: each request runs exactly once and gets its own answer (docs/protocol.md, 3.2).

A fifth of fifteen thousand; FOB_FAULTS=all takes all of them (`make soak`).
"""

import os
import random
from collections import Counter
from dataclasses import dataclass, field

import pytest

from fob_protocol.limits import HELD_OCTETS, PARKED_LIMIT, TEXT_LIMIT, WINDOW
from fob_protocol.link.frames import Kind
from fob_protocol.session.parts import PARTS_LIMIT
from fob_protocol.session.records import Sealer
from fob_protocol.session.responder import Responder
from support.footprint import octets_held
from support.noise import OctetNoise
from support.session import PcEnd, Session, open_session, session_keys
from support.wire import Direction

# Seed, faults per octet: from one frame in ten that is hit to one part in a hundred that is not.
CASES = [(1, 0.001), (2, 0.002), (3, 0.003), (4, 0.005), (5, 0.008)]
FAULTS = 3_000 if os.environ.get("FOB_FAULTS") == "all" else 600

# Texts of this file are short: a few long ones at once, and every answer that the device may keep.
MEMORY_OF_THE_PC = 100_000
MEMORY_OF_THE_DEVICE = 200_000


def work(text: bytes) -> tuple[float, bytes]:
    """Most requests are quick, some take a moment, some wait for a person; the answer tells which request it is for."""
    number = int(text.split(b"=")[1].split(b",")[0])
    seconds = {0: 3.0, 1: 0.5, 2: 0.05}.get(number % 20, 0.0)
    return seconds, b"answer %d," % number + b"y" * (1_500 if number % 20 == 3 else 64)


def question(number: int) -> bytes:
    """A request like a signature's; now and then a long one."""
    return b"AT+C_SIGN=%d," % number + b"x" * (1_500 if number % 20 == 4 else 32)


@dataclass
class Load:
    """Keeps a dozen requests under way until the line has done enough damage."""

    session: Session
    noises: tuple[OctetNoise, OctetNoise]
    asked: int = 0
    most_at_pc: int = 0
    most_at_device: int = 0
    pending: set[int] = field(default_factory=set)

    @property
    def faults(self) -> int:
        """Damage done in both directions."""
        return sum(noise.faults for noise in self.noises)

    def run(self, faults: int) -> None:
        """Ask until there were so many faults, then wait for what is still open."""
        while self.faults < faults:
            while len(self.session.pc.requester.outstanding) < 12:
                self.session.pc.ask(question(self.asked))
                self.asked += 1
            self.session.wire.run_until(self._has_room, within=600)
            if self.asked % 25 < 2:
                self.measure()
        self.session.wire.run_until(lambda: not self.session.pc.requester.outstanding, within=600)

    def _has_room(self) -> bool:
        return len(self.session.pc.requester.outstanding) < 12

    def measure(self) -> None:
        """Note what both ends hold."""
        self.most_at_pc = max(self.most_at_pc, octets_held(self.session.pc.requester))
        self.most_at_device = max(self.most_at_device, octets_held(self.session.device.responder))


def noisy_session(
    seed: int, rate: float, *, octet_by_octet: bool = False
) -> tuple[Session, tuple[OctetNoise, OctetNoise]]:
    """A session over a line that damages both directions."""
    noises = OctetNoise(rate, seed), OctetNoise(rate, seed + 1_000)
    to_device, to_pc = (Direction(0.005, octet_by_octet=octet_by_octet, noise=noise) for noise in noises)
    return open_session(work, to_device=to_device, to_pc=to_pc, seed=seed), noises


def right_answers(pc: PcEnd) -> dict[bytes, bytes]:
    """What each request that was answered should have got."""
    return {request.text: work(request.text)[1] for request in pc.answers}


@pytest.mark.clause("P7")
@pytest.mark.parametrize(("seed", "rate"), CASES)
def test_faults_neither_lose_nor_double_anything(seed: int, rate: float) -> None:
    session, noises = noisy_session(seed, rate)
    load = Load(session, noises)
    load.run(FAULTS)

    assert load.faults >= FAULTS
    assert sorted(Counter(number for number, _ in session.device.runs).items()) == [(n, 1) for n in range(load.asked)]
    assert {request.text: answer for request, answer in session.pc.answers.items()} == right_answers(session.pc)
    assert len(session.pc.answers) == load.asked
    assert session.counters.round_trips == load.asked
    assert session.counters.sent_again > 0
    assert 0 < load.most_at_pc < MEMORY_OF_THE_PC
    assert 0 < load.most_at_device < MEMORY_OF_THE_DEVICE
    assert session.ask(question(1_000_005)) == work(question(1_000_005))[1]


def test_octets_that_come_one_at_a_time_change_nothing() -> None:
    session, noises = noisy_session(7, 0.003, octet_by_octet=True)
    load = Load(session, noises)
    load.run(200)
    assert sorted(number for number, _ in session.device.runs) == list(range(load.asked))
    assert {request.text: answer for request, answer in session.pc.answers.items()} == right_answers(session.pc)


def test_a_quiet_line_sends_nothing_again() -> None:
    session = open_session(work, to_device=Direction(0.005), to_pc=Direction(0.005))
    for number in range(5, 20):
        session.ask(question(number))
    assert session.counters.sent_again == 0
    assert session.device.responder.answered_again == 0
    assert (session.counters.not_opened, session.device.responder.not_opened) == (0, 0)


@pytest.mark.parametrize("seed", range(3))
def test_a_cable_that_is_pulled_out_again_and_again(seed: int) -> None:
    session = open_session(work, to_device=Direction(0.005), to_pc=Direction(0.005), seed=seed)
    pulls = random.Random(seed)
    for number in range(200):
        session.pc.ask(question(number))
        session.wire.run_for(pulls.random() * 0.02)
        session.wire.cut()
        session.wire.run_for(pulls.random() * 0.5)
        session.wire.mend()
    session.wire.run_until(lambda: not session.pc.requester.outstanding, within=60)
    assert sorted(number for number, _ in session.device.runs) == list(range(200))
    assert {request.text: answer for request, answer in session.pc.answers.items()} == right_answers(session.pc)


def test_what_the_device_can_be_made_to_hold_is_bounded() -> None:
    """The worst a PC with the right keys can do: every answer slow and as long as it may be, none released."""
    pc_keys, device_keys = session_keys()
    sealer, responder = Sealer(pc_keys.send), Responder(device_keys)
    for number in range(2 * WINDOW + 20):
        responder.receive(sealer.seal(Kind.REQUEST, number, b"AT"), float(number))
        responder.due(number + 0.5)
        responder.answer(number, b"y" * TEXT_LIMIT)
        responder.due(number + 0.5)
    most = octets_held(responder)
    sealed_answer = TEXT_LIMIT + PARTS_LIMIT * 16
    assert most <= WINDOW * (sealed_answer + 1_000) + HELD_OCTETS


def test_of_short_answers_the_device_keeps_a_number() -> None:
    pc_keys, device_keys = session_keys()
    sealer, responder = Sealer(pc_keys.send), Responder(device_keys)
    for number in range(WINDOW + PARKED_LIMIT + 50):
        responder.receive(sealer.seal(Kind.REQUEST, number, b"AT"), float(number))
        responder.due(number + 0.5)
        responder.answer(number, b"y" * 300)
        responder.due(number + 0.5)
    assert octets_held(responder) <= (WINDOW + PARKED_LIMIT) * 400
