"""Replayed, reordered, late and cross-copy requests and answers: none is accepted (V14).

Half of the holders are those that devices and PCs run. A seeded sample; with FOB_REPLAYS=all (`make soak`) it is
100,000 of them.
"""

import os
from collections import Counter
from collections.abc import Callable
from random import Random

import pytest
from msgspec.structs import replace

from fob_protocol.cose import sign1
from fob_protocol.integrity.evidence import Evidence, unverified_evidence
from fob_protocol.integrity.limits import CHALLENGE_TIME
from fob_protocol.integrity.validation import Validate
from fob_protocol.office.envelope import Service
from fob_protocol.office.errors import Fault, OfficeError, RefusedError
from fob_protocol.office.refusals import Refusal
from support.octets import flipped
from support.office import OfficeScene
from support.office_holders import direct, rates_holder, results, shipped_holder, state_of
from support.office_talks import ReferenceTalk, ShippedTalk, Talk

ATTEMPTS = 100_000 if os.environ.get("FOB_REPLAYS") == "all" else 1_500
HOLDERS = 4
BEFORE = 8


class Siege:
    """Somebody who sends what was said before to both sides."""

    def __init__(self, scene: OfficeScene) -> None:
        self.scene = scene
        self.random = Random(6)
        self.ask = direct(scene.office)
        serials = [f"M-{number:04}" for number in range(HOLDERS)]
        self.talks: list[Talk] = [ReferenceTalk(rates_holder(scene, ask=self.ask, serial=one)) for one in serials[::2]]
        self.talks += [ShippedTalk(shipped_holder(scene, ask=self.ask, serial=one)) for one in serials[1::2]]
        for talk in self.talks * BEFORE:
            talk.go_on()

    def two(self) -> tuple[Talk, Talk]:
        one, other = self.random.sample(self.talks, 2)
        return one, other

    def send(self, talk: Talk, message: Validate) -> str:
        """The office's word, or that it said nothing new."""
        try:
            body = self.ask(Service.VALIDATION, "integrity", message)
        except RefusedError as error:
            return error.refusal
        return "said again" if body == talk.answers[-1] else "accepted"

    # Requests.

    def an_old_request(self) -> str:
        talk, _ = self.two()
        return self.send(talk, self.random.choice(talk.requests[:-1]))

    def the_last_request(self) -> str:
        talk, _ = self.two()
        return self.send(talk, talk.requests[-1])

    def the_secret_part_of_another_copy(self) -> str:
        one, other = self.two()
        message = Validate(self.random.choice(one.requests).evidence, self.random.choice(other.requests).secret)
        return self.send(one, message)

    def the_secret_part_of_another_request(self) -> str:
        talk, _ = self.two()
        one, other = self.random.sample(talk.requests, 2)
        return self.send(talk, Validate(one.evidence, other.secret))

    def a_request_for_another_copy(self) -> str:
        """What a holder says of a copy that is another's."""
        one, other = self.two()
        message = self.random.choice(one.requests)
        said = replace(unverified_evidence(message.evidence), copy=other.number)
        return self.send(one, Validate(said.signed(one.key), message.secret))

    def a_request_with_other_numbers(self) -> str:
        """Whoever has no key changes what was signed."""
        talk, _ = self.two()
        message = self.random.choice(talk.requests)
        said = unverified_evidence(message.evidence)
        program_number, server_number = talk.sequence
        changed = replace(said, program_number=program_number + 1, server_number=server_number)
        return self.send(talk, Validate(resigned(message, changed), message.secret))

    def a_late_request(self) -> str:
        """Held back until its challenge is over; the holder asks anew, with the next number."""
        talk, _ = self.two()
        held = talk.hold_back()
        self.scene.clock.pass_by(CHALLENGE_TIME + 1)
        word = self.send(talk, held)
        talk.used_up()
        talk.go_on()
        assert self.send(talk, held) == Refusal.REPLAYED
        return word

    # Answers.

    def an_answer_of_before(self) -> str:
        talk, _ = self.two()
        return self.answer(talk, self.random.choice(talk.answers))

    def an_answer_of_another_copy(self) -> str:
        one, other = self.two()
        return self.answer(one, self.random.choice(other.answers))

    def answer(self, talk: Talk, body: bytes) -> str:
        """What the holder makes of it, who waits for the answer to a request of its own."""
        with pytest.raises(OfficeError) as refused:
            talk.believe(body)
        return refused.value.fault


def resigned(message: Validate, said: Evidence) -> bytes:
    """Other words under an old signature."""
    old = sign1.unverified_payload(message.evidence)
    octets = said.octets()
    if len(octets) == len(old):
        return message.evidence.replace(old, octets)
    return flipped(message.evidence)


# How often each, and what comes of it.
KINDS: dict[Callable[[Siege], str], tuple[int, str]] = {
    Siege.an_old_request: (36, Refusal.REPLAYED),
    Siege.the_last_request: (5, "said again"),
    Siege.the_secret_part_of_another_copy: (8, Refusal.DENIED),
    Siege.the_secret_part_of_another_request: (5, Refusal.DENIED),
    Siege.a_request_for_another_copy: (8, Refusal.DENIED),
    Siege.a_request_with_other_numbers: (7, Refusal.DENIED),
    Siege.a_late_request: (1, Refusal.STALE_CHALLENGE),
    Siege.an_answer_of_before: (15, Fault.STALE_ANSWER),
    Siege.an_answer_of_another_copy: (15, Fault.STALE_ANSWER),
}


@pytest.mark.clause("V7", "V14", "V23")
def test_nothing_that_was_said_before_is_accepted(sqlite_scene: OfficeScene) -> None:
    siege = Siege(sqlite_scene)
    kinds = siege.random.choices(list(KINDS), [share for share, _ in KINDS.values()], k=ATTEMPTS)
    told = Counter((kind, kind(siege)) for kind in kinds)
    assert told == Counter((kind, KINDS[kind][1]) for kind in kinds)
    for talk in siege.talks:
        assert state_of(sqlite_scene, talk.number).name == "VALID"
        # Every line is a request that the holder made, and the honest conversation goes on.
        talk.go_on()
        lines = results(sqlite_scene, talk.number)
        assert [number for number, _ in lines] == list(range(1, talk.sequence[0] + 1))
        assert [result for _, result in lines].count("valid") == len(talk.requests)
