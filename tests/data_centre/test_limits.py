"""No money is taken for a frank that the record's limits refuse, or of which no piece can be made (M24, M29)."""

from collections.abc import Awaitable

import pytest
from msgspec.structs import replace

from fob_office.centre.commands.function import CarryOut, Settle
from fob_office.centre.commands.steel import OrderKey
from fob_office.centre.function.server import FunctionServer
from fob_office.refusing import RuleBrokenError
from fob_protocol.metering.amounts import amount_words
from fob_protocol.metering.answers import Franked
from fob_protocol.metering.kinds import Deed, Payment
from fob_protocol.metering.records import Limits, Refill
from fob_protocol.office.errors import RefusedError
from fob_protocol.office.refusals import Refusal
from support.data_centre import LIMITS, VALUE_KIND, DataCentre
from support.mailers import COMMUNICATION, Mailer
from support.payments import payments_of

# Begun before others: programs, or a whole data centre.
pytestmark = pytest.mark.slow

PIECE, DAY = (
    f"at most {amount_words(VALUE_KIND, most)} for a {what}"
    for most, what in ((LIMITS.piece, "piece"), (LIMITS.daily, "day"))
)


async def _refused(asking: Awaitable[object]) -> tuple[Refusal, str]:
    """By which word, and what the mailer is told."""
    with pytest.raises(RefusedError) as refused:
        await asking
    return refused.value.refusal, refused.value.said


async def _limited(centre: DataCentre, server: FunctionServer, mailer: Mailer, limits: Limits) -> None:
    counter = (await mailer.about()).registers.counter
    order = (await centre.ask("steel-1", OrderKey(Deed.CHANGE, mailer.serial, counter, limits.octets()))).order
    await server.carry_out(COMMUNICATION, CarryOut(order))


@pytest.mark.clause("M24", "M29", "M30")
@pytest.mark.parametrize(
    ("amounts", "why"), [((LIMITS.piece + 1,), PIECE), ((85, LIMITS.piece + 1), PIECE), ((LIMITS.piece,) * 11, DAY)]
)
async def test_who_pays_per_use_is_charged_for_no_piece_over_the_limits(
    centre: DataCentre, amounts: tuple[int, ...], why: str
) -> None:
    """Nor what signing up costs."""
    centre.fee = 500
    async with centre.function_server() as (server, peers):
        ben = Mailer(centre, server)
        await ben.sign_up(payment=Payment.PER_USE)
        assert await _refused(ben.frank(*amounts)) == (Refusal.OVER_LIMIT, why)
        assert "Charge" not in peers.asked
        assert (payments_of(centre, ben.serial), (await ben.about()).registers.counter) == ((0, 0), 1)
        await ben.frank(LIMITS.piece)
        assert payments_of(centre, ben.serial) == (LIMITS.piece + 500, 0)


@pytest.mark.clause("M24", "M29")
async def test_what_was_spent_today_counts_before_the_card_is_charged(centre: DataCentre) -> None:
    async with centre.function_server() as (server, _):
        ben = Mailer(centre, server)
        await ben.sign_up(payment=Payment.PER_USE)
        await _limited(centre, server, ben, replace(LIMITS, daily=200))
        await ben.frank(85, 100)
        assert await _refused(ben.frank(16)) == (Refusal.OVER_LIMIT, "at most EUR 2.00 for a day")
        assert payments_of(centre, ben.serial) == (185, 0)
        # What is on the meter is no way around it, and a new day is.
        await ben.load(10)
        assert await _refused(ben.frank(16)) == (Refusal.OVER_LIMIT, "at most EUR 2.00 for a day")
        centre.boxes.now += 86_400
        await ben.frank(16)
        assert payments_of(centre, ben.serial) == (201, 0)


@pytest.mark.clause("M24", "M29")
@pytest.mark.parametrize("payment", [Payment.PREPAID, Payment.POSTPAID])
async def test_no_refill_comes_for_a_piece_over_the_limits(centre: DataCentre, payment: Payment) -> None:
    async with centre.function_server() as (server, peers):
        anna = Mailer(centre, server)
        await anna.sign_up(payment=payment, refill=Refill(below=100, amount=500))
        for amounts, why in (((LIMITS.piece + 1,), PIECE), ((LIMITS.piece,) * 11, DAY)):
            assert await _refused(anna.frank(*amounts)) == (Refusal.OVER_LIMIT, why)
        await server.close()
        assert not {"PermitRefill", "Load", "Charge"} & set(peers.asked)
        assert (await anna.about()).registers.loads == 0


@pytest.mark.clause("M28", "M29")
async def test_nothing_is_charged_for_a_piece_to_nowhere(centre: DataCentre) -> None:
    async with centre.function_server() as (server, _):
        ben = Mailer(centre, server)
        await ben.sign_up(payment=Payment.PER_USE)
        request = ben.frank_request(85)
        nowhere = replace(request, pieces=(replace(request.pieces[0], destination="?"),))
        with pytest.raises((RefusedError, RuleBrokenError)) as refused:
            await ben.ask(nowhere, Franked)
        assert Refusal.MALFORMED in str(refused.value)
        assert payments_of(centre, ben.serial) == (0, 0)


@pytest.mark.clause("M29", "M30")
async def test_however_much_is_owed_is_settled_at_once(centre: DataCentre) -> None:
    """With what signing up costs: who owes has no other way to pay."""
    centre.fee = 500
    async with centre.function_server() as (server, _):
        ben = Mailer(centre, server)
        await ben.sign_up(payment=Payment.POSTPAID)
        await _limited(centre, server, ben, replace(LIMITS, credit=30_000_000))
        for _ in range(2):
            await ben.load(9_000_000)
        await server.settle(COMMUNICATION, Settle(ben.serial))
        assert ((await ben.about()).registers.owed, (await ben.about()).fee) == (0, 0)
        assert payments_of(centre, ben.serial) == (18_000_500, 0)
