"""A refill is taken for a frank that it is enough for, and for no other (M29, M33)."""

from collections.abc import Awaitable, Callable
from copy import copy
from functools import partial

import pytest

from fob_office.centre.commands.function import Settle
from fob_office.centre.function.server import FunctionServer
from fob_protocol.metering.answers import Franked
from fob_protocol.metering.kinds import Payment
from fob_protocol.metering.records import Refill
from fob_protocol.metering.requests import Ask, authenticated
from fob_protocol.office.errors import RefusedError
from fob_protocol.office.refusals import Refusal
from support.data_centre import Cut, CutError, DataCentre, WatchedPeers
from support.mailers import COMMUNICATION, Mailer
from support.payments import payments_of

# Begun before others: programs, or a whole data centre.
pytestmark = pytest.mark.slow

# The first commands of a frank that waits for a refill: Fetch, Permit, Frank; Fetch, PermitRefill, SayDue. Then a
# transaction box orders the charge.
UNTIL_ORDERED = 6
RULE = Refill(below=1_000, amount=2_000)
FEE = 500


async def _refused(asking: Awaitable[object]) -> tuple[Refusal, str]:
    """By which word, and what the mailer is told."""
    with pytest.raises(RefusedError) as refused:
        await asking
    return refused.value.refusal, refused.value.said


def _short(there: str, brings: str, needed: str) -> tuple[Refusal, str]:
    return Refusal.INSUFFICIENT_FUNDS, f"{there} are there, a refill brings {brings}; {needed} are needed"


def _at(mailer: Mailer, server: FunctionServer) -> Mailer:
    """The same one, at another function server."""
    there = copy(mailer)
    there.server = server
    return there


def _meets(peers: WatchedPeers, number: int, meanwhile: Callable[[], Awaitable[object]]) -> None:
    """Before the command of this number, from now on, something else is done."""
    peers.asked.clear()

    async def meets(at: int, is_answered: bool) -> None:
        if at == number and not is_answered:
            await meanwhile()

    peers.meets = meets


@pytest.mark.clause("M24", "M29", "M30")
@pytest.mark.parametrize("payment", [Payment.PREPAID, Payment.POSTPAID])
async def test_no_refill_is_taken_for_a_frank_that_it_is_not_enough_for(centre: DataCentre, payment: Payment) -> None:
    centre.fee = FEE
    async with centre.function_server() as (server, peers):
        anna = Mailer(centre, server)
        await anna.sign_up(payment=payment, refill=RULE)
        for amount, words in ((2_001, "EUR 20.01"), (5_000, "EUR 50.00")):
            assert await _refused(anna.frank(amount)) == _short("EUR 0.00", "EUR 20.00", words)
        assert not {"Charge", "Load"} & set(peers.asked)
        assert (payments_of(centre, anna.serial), (await anna.about()).registers.owed) == ((0, 0), 0)
        # What is just enough is taken.
        assert (await anna.frank(2_000)).registers.ascending == 2_000
        await server.close()
        if payment == Payment.POSTPAID:
            assert (await anna.about()).registers.owed == 4_000
            await server.settle(COMMUNICATION, Settle(anna.serial))
        assert payments_of(centre, anna.serial) == (4_000 + FEE, 0)
        # The meter is above its level: no refill is due, whatever it would bring.
        assert await _refused(anna.frank(2_001)) == (
            Refusal.INSUFFICIENT_FUNDS, "EUR 20.00 are there; EUR 20.01 are needed",
        )  # fmt: skip


@pytest.mark.clause("M29", "M33")
async def test_what_was_taken_for_an_earlier_frank_comes_in_with_one_that_is_refused(centre: DataCentre) -> None:
    async with centre.function_server() as (server, peers):
        anna = Mailer(centre, server)
        await anna.sign_up(refill=RULE)
        peers.loses = "Charge"
        assert (await _refused(anna.frank(85)))[0] is Refusal.UNAVAILABLE
        assert (payments_of(centre, anna.serial), (await anna.about()).registers.loads) == ((2_000, 0), 0)
        # It is on the meter now, above its level: there is no refill any more to wait for.
        assert await _refused(anna.frank(5_000)) == (
            Refusal.INSUFFICIENT_FUNDS, "EUR 20.00 are there; EUR 50.00 are needed",
        )  # fmt: skip
        assert (await anna.about()).registers.descending == 2_000
        await anna.frank(2_000)
        await server.close()
        assert payments_of(centre, anna.serial) == (4_000, 0)


@pytest.mark.clause("M29", "M33")
async def test_what_was_taken_before_counts_as_there(centre: DataCentre) -> None:
    """With it one refill is enough; without it, it would not be."""
    async with centre.function_server() as (server, peers):
        anna = Mailer(centre, server)
        await anna.sign_up(refill=Refill(below=3_000, amount=2_000))
        peers.loses = "Charge"
        assert (await _refused(anna.frank(85)))[0] is Refusal.UNAVAILABLE
        assert (await anna.frank(3_500)).registers.ascending == 3_500
        await server.close()
        assert payments_of(centre, anna.serial) == (6_000, 0)
        assert await _refused(anna.frank(4_501)) == _short("EUR 25.00", "EUR 20.00", "EUR 45.01")


@pytest.mark.clause("M29", "M33")
@pytest.mark.parametrize("number", range(UNTIL_ORDERED))
async def test_a_load_by_another_server_spares_the_refill(centre: DataCentre, number: int) -> None:
    async with centre.function_server() as (server, peers), centre.function_server() as (second, _):
        anna = Mailer(centre, server)
        await anna.sign_up(refill=RULE)
        _meets(peers, number, partial(_at(anna, second).load, 3_000))
        assert (await anna.frank(1_500)).registers.descending == 1_500
        await server.close()
        assert payments_of(centre, anna.serial) == (3_000, 0)


@pytest.mark.clause("M29", "M33")
@pytest.mark.parametrize("number", range(UNTIL_ORDERED))
async def test_no_refill_is_taken_when_money_goes_back_meanwhile(centre: DataCentre, number: int) -> None:
    """It would have been enough with what was there."""
    async with centre.function_server() as (server, peers), centre.function_server() as (second, _):
        anna = Mailer(centre, server)
        await anna.sign_up(refill=RULE)
        await anna.load(900)
        _meets(peers, number, partial(_at(anna, second).refund, 900))
        assert await _refused(anna.frank(2_500)) == _short("EUR 0.00", "EUR 20.00", "EUR 25.00")
        assert "Charge" not in peers.asked


@pytest.mark.clause("M29", "M33")
async def test_wherever_a_server_dies_over_a_frank_that_is_refused_nothing_is_taken(centre: DataCentre) -> None:
    async with centre.function_server() as (server, _):
        anna = Mailer(centre, server)
        await anna.sign_up(refill=RULE)
    said = Ask(authenticated(anna.key, anna.frank_request(5_000)))
    at, told = 0, None
    while told is None:
        async with centre.function_server(Cut(at, is_delivered=True)) as (anna.server, peers):
            try:
                told = await _refused(anna.say(said, Franked))
            except CutError:
                at += 1
    assert told == _short("EUR 0.00", "EUR 20.00", "EUR 50.00")
    assert at == len(peers.asked) > 3
    assert payments_of(centre, anna.serial) == (0, 0)
