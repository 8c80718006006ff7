"""What was taken comes in, whatever the meter does meanwhile: nothing else uses its number (M29, M33)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import pytest

from fob_office.centre.bus.errors import BusRefusedError
from fob_office.centre.bus.passes import Kind, Pass
from fob_office.centre.commands.authentication import Permit, PermitRefill
from fob_office.centre.commands.function import Settle
from fob_office.centre.commands.meter import Act, Load, SayDue
from fob_office.centre.commands.payment import CameIn, Charge, FetchOpen
from fob_office.centre.commands.transaction import FundOwed, OrderCharge
from fob_office.centre.following import REFILL, derived_digest
from fob_office.centre.function.server import FunctionServer
from fob_office.centre.operating.taken import taken_waiting
from fob_protocol.metering.kinds import Payment
from fob_protocol.metering.records import Refill
from fob_protocol.metering.requests import authenticated
from fob_protocol.metering.transaction import unverified_transaction
from fob_protocol.metering.values import Registers
from support.data_centre import DataCentre, WatchedPeers
from support.mailers import Mailer
from support.octets import flipped
from support.payments import payments_of

pytestmark = pytest.mark.slow

OPERATOR = Pass(Kind.OPERATOR, "operator-1", bytes(32), bytes(32), None, 1, 1 << 40)


@asynccontextmanager
async def charge_under_way(peers: WatchedPeers) -> AsyncIterator[asyncio.Event]:
    """The provider takes its time over the next charge: the event says that it was asked; it answers at the end."""
    asked, may_go_on = asyncio.Event(), asyncio.Event()

    async def meets(at: int, is_answered: bool) -> None:
        if peers.asked[at] == "Charge" and not is_answered and not asked.is_set():
            asked.set()
            await may_go_on.wait()

    peers.asked.clear()
    peers.meets = meets
    yield asked
    may_go_on.set()


async def all_agrees(centre: DataCentre, server: FunctionServer, mailer: Mailer) -> Registers:
    """The book and the meter, to the cent; nothing is left to come in or to go back, and nobody is accused."""
    await server.close()
    centre.boxes.now += 30
    await server.completing.complete_all()
    await server.refunding._pay_all()
    registers = (await mailer.about()).registers
    charged, paid_back = payments_of(centre, mailer.serial)
    assert charged - paid_back == registers.loads - registers.owed
    assert registers.is_lawful
    assert (await centre_peers(server).any(Kind.PAYMENT, FetchOpen("", 0))).receipts == ()
    assert centre.rows("SELECT count(*) FROM payouts WHERE receipt IS NULL") == [(0,)]
    assert await centre.warnings() == []
    return registers


def centre_peers(server: FunctionServer) -> WatchedPeers:
    """Who it asks."""
    peers = server.refunding.peers
    assert isinstance(peers, WatchedPeers)
    return peers


@pytest.mark.clause("M29", "M33")
async def test_money_goes_back_while_a_refill_is_charged(centre: DataCentre) -> None:
    async with centre.function_server() as (server, peers):
        anna = Mailer(centre, server)
        await anna.sign_up(refill=Refill(below=600, amount=500))
        await anna.load(1_000)
        async with charge_under_way(peers) as asked:
            await anna.frank(410)
            await asked.wait()
            assert (await anna.refund(550)).registers.descending == 40
        registers = await all_agrees(centre, server, anna)
        assert (registers.ascending, registers.descending, registers.loads) == (410, 540, 950)
        assert payments_of(centre, anna.serial) == (1_500, 550)


@pytest.mark.clause("M29", "M33")
async def test_a_mailer_borrows_while_his_settlement_is_charged(centre: DataCentre) -> None:
    async with centre.function_server() as (server, peers):
        ben = Mailer(centre, server, "ben")
        await ben.sign_up(payment=Payment.POSTPAID)
        await ben.load(1_000)
        async with charge_under_way(peers) as asked:
            settling = asyncio.create_task(server.settle(OPERATOR, Settle(ben.serial)))
            await asked.wait()
            assert (await ben.load(500)).registers.owed == 1_500
        await settling
        registers = await all_agrees(centre, server, ben)
        # What was owed when it was asked for; then the rest.
        assert (registers.owed, registers.loads, payments_of(centre, ben.serial)) == (500, 1_500, (1_000, 0))
        await server.settle(OPERATOR, Settle(ben.serial))
        registers = await all_agrees(centre, server, ben)
        assert (registers.owed, registers.loads, payments_of(centre, ben.serial)) == (0, 1_500, (1_500, 0))


@pytest.mark.clause("M29", "M33", "M30")
async def test_a_mailer_borrows_after_the_answer_to_his_settlement_was_lost(centre: DataCentre) -> None:
    centre.fee = 70
    async with centre.function_server() as (server, peers):
        ben = Mailer(centre, server, "ben")
        await ben.sign_up(payment=Payment.POSTPAID)
        await ben.load(1_000)
        peers.loses = "Charge"
        with pytest.raises(BusRefusedError, match="unavailable"):
            await server.settle(OPERATOR, Settle(ben.serial))
        await ben.load(500)
        centre.boxes.now += 30
        await server.completing.complete_all()
        assert (await ben.about()).registers.owed == 500
        await server.settle(OPERATOR, Settle(ben.serial))
        assert (await ben.about()).registers.owed == 0
        assert payments_of(centre, ben.serial) == (1_570, 0)


@pytest.mark.clause("M29")
async def test_refills_that_are_not_due_lend_nothing_and_take_nothing(centre: DataCentre) -> None:
    """A function server of somebody's own: each mailer's permission for his rule is to be had at any time."""
    async with centre.function_server() as (server, peers):
        for payment in (Payment.POSTPAID, Payment.PREPAID):
            mailer = Mailer(centre, server, payment.name.lower())
            await mailer.sign_up(payment=payment, refill=Refill(below=100, amount=500))
            await mailer.load(100)
            held = await server.refunding.changing.look(mailer.serial)
            counter = held.record.registers.counter
            asked_for = PermitRefill(held.user, mailer.serial, counter)
            permission = (await peers.any(Kind.AUTHENTICATION, asked_for)).permission or b""
            due = (await peers.owner(mailer.serial, SayDue(held.meter, None))).due
            before = len(await centre.warnings())
            for below in (None, 100, 10_000):
                with pytest.raises(BusRefusedError, match="tampering: nobody permitted this charge"):
                    await peers.any(Kind.TRANSACTION, FundOwed(due, permission, below))
                with pytest.raises(BusRefusedError, match="tampering: nobody permitted this charge"):
                    await peers.any(Kind.TRANSACTION, OrderCharge(due, permission, below, None))
            assert [word for word, _ in (await centre.warnings())[before:]] == ["tampering"] * 6


@pytest.mark.clause("M29")
async def test_what_is_owed_goes_onto_one_record(centre: DataCentre) -> None:
    """Below its level a rule permits one refill: its fund record is for the record that was looked at, and no other."""
    async with centre.function_server() as (server, peers):
        ben = Mailer(centre, server, "ben")
        await ben.sign_up(payment=Payment.POSTPAID, refill=Refill(below=5_000, amount=500))
        held = await server.refunding.changing.look(ben.serial)
        counter = held.record.registers.counter
        asked_for = PermitRefill(held.user, ben.serial, counter)
        permission = (await peers.any(Kind.AUTHENTICATION, asked_for)).permission or b""
        due = (await peers.owner(ben.serial, SayDue(held.meter, None))).due
        fund = (await peers.any(Kind.TRANSACTION, FundOwed(due, permission, 5_000))).fund
        request = derived_digest(REFILL, ben.serial, counter)
        act = Act(request, request[:16], None)
        changed = await peers.owner(ben.serial, Load(held.meter, fund, act))
        await server.refunding.changing.finish(changed)
        # The same again is the same.
        assert await peers.owner(ben.serial, Load(changed.record, fund, act)) == changed
        await ben.frank(85)
        # The refill that it made due is done.
        await server.close()
        held = await server.refunding.changing.look(ben.serial)
        with pytest.raises(BusRefusedError, match="tampering"):
            await peers.owner(ben.serial, Load(held.meter, fund, act))
        assert (await ben.about()).registers.owed == 1_000


async def take(server: FunctionServer, peers: WatchedPeers, mailer: Mailer, amount: int) -> bytes:
    """A load, cut off when the provider has the money: its receipt."""
    held = await server.refunding.changing.look(mailer.serial)
    request = mailer.load_request(amount)
    permit = Permit(held.user, authenticated(mailer.key, request))
    permission = (await peers.any(Kind.AUTHENTICATION, permit)).permission
    due = (await peers.owner(mailer.serial, SayDue(held.meter, None))).due
    order = OrderCharge(due, permission, None, request.request_id)
    return (await peers.any(Kind.PAYMENT, Charge((await peers.any(Kind.TRANSACTION, order)).order))).receipt


@pytest.mark.clause("M29", "M33")
async def test_nobody_says_that_money_came_in_without_its_load(centre: DataCentre) -> None:
    """What was taken is remembered until a transaction box has signed where it went."""
    async with centre.function_server() as (server, peers):
        anna = Mailer(centre, server)
        await anna.sign_up()
        loaded, franked = await anna.load(500), await anna.frank(85)
        centre.boxes.now += 30
        await server.completing.complete_all()
        receipt = await take(server, peers, anna, 500)
        centre.boxes.now += 30
        for transaction in (b"", flipped(loaded.transaction), franked.transaction):
            with pytest.raises(BusRefusedError, match="tampering"):
                await peers.any(Kind.PAYMENT, CameIn(transaction))
        # That one did come in.
        await peers.any(Kind.PAYMENT, CameIn(loaded.transaction))
        assert (await peers.any(Kind.PAYMENT, FetchOpen("", 0))).receipts == (receipt,)
        # An operator sees it too.
        (waiting,) = await taken_waiting(partial(centre.ask, "payment-1"))
        assert (waiting.serial, waiting.amount) == (anna.serial, 500)
        assert (await all_agrees(centre, server, anna)).loads == 1_000


@pytest.mark.clause("M29")
async def test_two_charges_have_two_ids(centre: DataCentre) -> None:
    """By its id the provider knows what came in: a function server of somebody's own names another one's."""
    async with centre.function_server() as (server, peers):
        anna = Mailer(centre, server)
        await anna.sign_up()
        known = unverified_transaction((await anna.load(500)).transaction).request_id
        held = await server.refunding.changing.look(anna.serial)
        permit = Permit(held.user, authenticated(anna.key, anna.load_request(500)))
        permission = (await peers.any(Kind.AUTHENTICATION, permit)).permission
        due = (await peers.owner(anna.serial, SayDue(held.meter, None))).due
        order = (await peers.any(Kind.TRANSACTION, OrderCharge(due, permission, None, known))).order
        with pytest.raises(BusRefusedError, match="payment-refused: it was taken before, under another number"):
            await peers.any(Kind.PAYMENT, Charge(order))
