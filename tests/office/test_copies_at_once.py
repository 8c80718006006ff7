"""Two servers over one database, asked at the same moment: one answers, and the other says the same again."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import select

from fob_office.distribution.tables import Copy
from fob_office.office import open_office
from fob_office.validation.tables import KeptProof
from fob_protocol.integrity.ticket import Ticket
from fob_protocol.integrity.validation import State, Validate, Verdict
from fob_protocol.office.envelope import Service
from support.holder import Ask
from support.office import OfficeScene, surroundings
from support.office_holders import direct, rates_holder, results, state_of

ROUNDS = 15


@pytest.fixture
def asks(scene: OfficeScene) -> Iterator[tuple[Ask, Ask]]:
    """As two workers or two machines are."""
    second = open_office(scene.office.settings, {}, surroundings(scene.clock, seed=7))
    try:
        yield direct(scene.office), direct(second)
    finally:
        second.close()


def at_once(asks: tuple[Ask, Ask], messages: list[Validate]) -> list[bytes]:
    """Each message at one of the servers in turn, all in the same moment."""
    barrier = Barrier(len(messages))

    def send(number: int) -> bytes:
        barrier.wait(30)
        return asks[number % 2](Service.VALIDATION, "integrity", messages[number])

    with ThreadPoolExecutor(len(messages)) as threads:
        return list(threads.map(send, range(len(messages))))


@pytest.mark.clause("V14", "V22")
def test_two_servers_that_race_for_a_request_say_the_same(scene: OfficeScene, asks: tuple[Ask, Ask]) -> None:
    holder = rates_holder(scene)
    copy = holder.copies["rates"]
    for number in range(1, ROUNDS + 1):
        message = holder.request(copy, holder.challenge(copy))
        [answer] = set(at_once(asks, [message] * 4))
        assert isinstance(holder.take(copy, answer), Ticket)
        assert (copy.program_number, copy.server_number) == (number, number)
    assert results(scene) == [(number, "valid") for number in range(1, ROUNDS + 1)]
    with scene.office.database.read() as session:
        assert session.scalars(select(Copy.server_number)).one() == ROUNDS


@pytest.mark.clause("V21")
def test_of_two_clones_that_race_one_is_admitted_and_both_are_flagged(
    scene: OfficeScene, asks: tuple[Ask, Ask]
) -> None:  # fmt: skip
    holder = rates_holder(scene)
    for seed in range(ROUNDS // 3):
        clone = holder.clone(seed + 2)
        challenge = holder.challenge(holder.copies["rates"])
        both = (holder, clone)
        answers = at_once(asks, [one.request(one.copies["rates"], challenge) for one in both])
        told = [one.take(one.copies["rates"], answer) for one, answer in zip(both, answers, strict=True)]
        assert sorted(type(one).__name__ for one in told) == ["Ticket", "Verdict"]
        number = holder.copies["rates"].number
        assert state_of(scene, number) is State.CLONED
        with scene.office.database.read() as session:
            assert len(session.scalars(select(KeptProof)).all()) == seed + 1
        for one in both:
            assert isinstance(verdict := one.validate("rates"), Verdict)
            assert verdict.state is State.CLONED
        holder = rates_holder(scene, serial=f"M-1{seed:03}")
