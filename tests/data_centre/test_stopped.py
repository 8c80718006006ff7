"""No money is taken for a meter that is stopped or withdrawn, and what was taken before can go back (M29, M31)."""

from collections.abc import Awaitable

import pytest
from msgspec.structs import replace

from fob_office.centre.bus.errors import BusRefusedError
from fob_office.centre.commands.function import CarryOut, Settle
from fob_office.centre.commands.steel import OrderKey
from fob_office.centre.function.server import FunctionServer
from fob_protocol.metering.answers import Loaded
from fob_protocol.metering.kinds import Deed, Payment
from fob_protocol.metering.records import Refill
from fob_protocol.office.errors import RefusedError
from fob_protocol.office.refusal_words import MEANINGS
from fob_protocol.office.refusals import Refusal
from support.data_centre import LIMITS, Cut, CutError, DataCentre
from support.mailers import COMMUNICATION, Mailer
from support.payments import payments_of

# Begun before others: programs, or a whole data centre.
pytestmark = pytest.mark.slow


async def _obeyed(centre: DataCentre, server: FunctionServer, mailer: Mailer, deed: Deed) -> None:
    counter = (await mailer.about()).registers.counter
    order = (await centre.ask("steel-1", OrderKey(deed, mailer.serial, counter, None))).order
    await server.carry_out(COMMUNICATION, CarryOut(order))


async def _is_stopped(asking: Awaitable[object]) -> None:
    with pytest.raises((RefusedError, BusRefusedError)) as refused:
        await asking
    assert Refusal.STOPPED in str(refused.value)


@pytest.mark.clause("M29", "M31")
@pytest.mark.parametrize("deed", [Deed.STOP, Deed.WITHDRAW])
async def test_nothing_is_charged_for_a_meter_that_is_stopped_or_withdrawn(centre: DataCentre, deed: Deed) -> None:
    async with centre.function_server() as (server, peers):
        loads, refills, pays, owes = (Mailer(centre, server, name) for name in ("loads", "refills", "pays", "owes"))
        await loads.sign_up()
        await refills.sign_up(refill=Refill(below=100, amount=500))
        await pays.sign_up(payment=Payment.PER_USE)
        await owes.sign_up(payment=Payment.POSTPAID)
        await owes.load(LIMITS.credit)
        for mailer in (loads, refills, pays, owes):
            await _obeyed(centre, server, mailer, deed)
        peers.asked.clear()
        await _is_stopped(loads.load(100))
        await _is_stopped(refills.frank(85))
        await _is_stopped(server.completing.paying.refill(await server.completing.paying.changing.look(refills.serial)))
        await _is_stopped(pays.frank(85))
        await _is_stopped(owes.load(1))
        await _is_stopped(server.settle(COMMUNICATION, Settle(owes.serial)))
        assert "Charge" not in peers.asked
        assert [payments_of(centre, each.serial) for each in (loads, refills, pays, owes)] == [(0, 0)] * 4


@pytest.mark.clause("M31")
@pytest.mark.parametrize(("deed", "said"), [(Deed.STOP, ""), (Deed.WITHDRAW, "it is withdrawn")])
async def test_what_the_word_means_is_not_said_again(centre: DataCentre, deed: Deed, said: str) -> None:
    """The mailer's computer has words for it already: `the meter is stopped`."""
    async with centre.function_server() as (server, _):
        anna = Mailer(centre, server)
        await anna.sign_up()
        await _obeyed(centre, server, anna, deed)
        for asking in (anna.load(100), anna.frank(85)):
            with pytest.raises(RefusedError) as refused:
                await asking
            assert (refused.value.refusal, refused.value.said) == (Refusal.STOPPED, said)
    assert MEANINGS[Refusal.STOPPED][0] == "the meter is stopped"


@pytest.mark.clause("M29", "M31", "M33")
@pytest.mark.parametrize("cut", ["FundPaid", "Load", "Attest"])
@pytest.mark.parametrize("deed", [Deed.STOP, Deed.WITHDRAW])
async def test_what_was_taken_before_comes_onto_the_meter_and_goes_back(
    centre: DataCentre, deed: Deed, cut: str
) -> None:
    at = ("Fetch", "Permit", "SayDue", "OrderCharge", "Charge", "FundPaid", "Load", "Attest").index(cut)
    async with centre.function_server() as (server, _):
        anna = Mailer(centre, server)
        await anna.sign_up()
    request = anna.load_request(300)
    async with centre.function_server(Cut(at, is_delivered=False)) as (server, _):
        anna.server = server
        with pytest.raises(CutError, match=cut):
            await anna.ask(request, Loaded)
    async with centre.function_server() as (server, _):
        anna.server = server
        await _obeyed(centre, server, anna, deed)
        assert (await anna.ask(request, Loaded)).registers.descending == 300
        assert (await anna.ask(replace(request, time=centre.now), Loaded)).registers.descending == 300
        await _is_stopped(anna.load(1))
        if deed is Deed.STOP:
            await _obeyed(centre, server, anna, Deed.RESUME)
        await anna.refund(300)
        await server.refunding._pay_all()
        assert payments_of(centre, anna.serial) == (300, 300)


@pytest.mark.clause("M29", "M33")
async def test_what_was_taken_and_cut_off_can_go_back_too(centre: DataCentre) -> None:
    async with centre.function_server() as (server, _):
        anna = Mailer(centre, server)
        await anna.sign_up()
        await anna.load(500)
    async with centre.function_server(Cut(5, is_delivered=False)) as (server, _):
        anna.server = server
        with pytest.raises(CutError, match="FundPaid"):
            await anna.load(300)
    async with centre.function_server() as (server, _):
        anna.server = server
        refunded = await anna.refund(700)
        assert refunded.registers.descending == 100
        await server.refunding._pay_all()
        assert payments_of(centre, anna.serial) == (800, 700)
