"""Questions and answers that are lost, and holders that lose power, anywhere: nobody honest is locked out (V22).

Both by the tests' own holder and by the one that devices and PCs run. A seeded sample; with FOB_LOST=all
(`make soak`) each of them loses 10,000 answers.
"""

import os
from contextlib import suppress
from random import Random

import pytest

from fob_protocol.integrity.ticket import Ticket
from fob_protocol.integrity.validation import GetChallenge, State
from fob_protocol.office.envelope import Service
from fob_protocol.office.errors import RefusedError
from fob_protocol.office.message import Message
from support.holder import ReferenceHolder
from support.office import OfficeScene
from support.office_holders import RATES, direct, policy, rates_holder, results, shipped_holder, state_of
from support.office_shop import release

LOST = 10_000 if os.environ.get("FOB_LOST") == "all" else 160


class LostError(Exception):
    """Nothing came back."""


class PowerCutError(Exception):
    """Nothing more is done."""


class Line:
    """Loses a share of the questions, and a share of the answers to those that arrive; time passes meanwhile."""

    def __init__(self, scene: OfficeScene, random: Random) -> None:
        self._scene = scene
        self._ask = direct(scene.office)
        self._random = random
        self.lost = 0

    def ask(self, service: Service, server: str, message: Message) -> bytes:
        """Raises LostError, RefusedError."""
        self._scene.clock.pass_by(self._random.choice((0, 0, 1, 20, 200)))
        if self._random.random() < 0.1:
            raise LostError
        body = self._ask(service, server, message)
        if self._random.random() < 0.6:
            self.lost += not isinstance(message, GetChallenge)
            raise LostError
        return body


def admitted_at_last(holder: ReferenceHolder, random: Random) -> Ticket:
    """As often as it takes."""
    copy = holder.copies["rates"]
    while True:
        try:
            if copy.pending is None:
                holder.request(copy, holder.challenge(copy))
                if random.random() < 0.1:
                    # The power is cut before it is on the disk, and so before it was sent.
                    copy.pending = None
                    continue
            body = holder.send(copy)
        except (LostError, RefusedError):
            # Lost, or too late on its way: then it asks anew.
            continue
        if random.random() < 0.7:
            answer = holder.take(copy, body)
            assert isinstance(answer, Ticket), answer
            return answer
        # The power is cut before ticket, numbers and identifier were stored, which is one step.


def released(scene: OfficeScene, technique: str) -> None:
    release(scene, "rates", octets=RATES)
    policy(scene, "rates", technique=technique, variant="VA-5" if technique == "D1" else "VA-7")


def assert_all_are_counted_once(scene: OfficeScene, number: bytes, confirmed: list[int]) -> None:
    """Every VAL_OK is, however often it was said, and so is every request."""
    assert state_of(scene, number) is State.VALID
    assert confirmed == list(range(1, len(confirmed) + 1))
    lines = results(scene)
    assert [number for number, _ in lines] == list(range(1, len(lines) + 1))
    assert {result for _, result in lines} <= {"valid", "late", "stale-challenge"}


@pytest.mark.clause("V14", "V22")
@pytest.mark.parametrize("technique", ["D1", "D7"])
def test_no_honest_copy_is_locked_out(sqlite_scene: OfficeScene, technique: str) -> None:
    random = Random(22)
    line = Line(sqlite_scene, random)
    released(sqlite_scene, technique)
    holder = rates_holder(sqlite_scene)
    holder.ask = line.ask
    tickets = []
    while line.lost < LOST // 2:
        tickets.append(admitted_at_last(holder, random))
    numbers = [ticket.server_number for ticket in tickets]
    assert_all_are_counted_once(sqlite_scene, holder.copies["rates"].number, numbers)


@pytest.mark.clause("V14", "V22")
@pytest.mark.parametrize("technique", ["D1", "D7"])
def test_no_holder_that_is_shipped_is_locked_out(sqlite_scene: OfficeScene, technique: str) -> None:
    """It begins again from what is on its disk, wherever answer or power went away."""
    random = Random(23)
    line = Line(sqlite_scene, random)
    released(sqlite_scene, technique)
    holder = shipped_holder(sqlite_scene)

    def cut() -> None:
        if random.random() < 0.2:
            raise PowerCutError

    holder.ask, holder.keep = line.ask, cut
    tries = admitted = 0
    while line.lost < LOST // 2:
        tries += 1
        with suppress(LostError, PowerCutError):
            admitted += holder.validate().was_confirmed
    assert 0 < admitted < tries
    assert_all_are_counted_once(sqlite_scene, holder.row.about.copy, holder.confirmed)
