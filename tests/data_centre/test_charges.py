"""Nobody's card is charged but by his own permission, for his own meter (M29, M30): a function server that tries."""

from collections.abc import AsyncIterator, Awaitable
from dataclasses import dataclass
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec.structs import replace

from fob_office.centre.bus.errors import BusRefusedError
from fob_office.centre.bus.passes import Kind
from fob_office.centre.commands.authentication import Permit, PermitRefill
from fob_office.centre.commands.meter import Act, Load, SayDue
from fob_office.centre.commands.payment import Charge
from fob_office.centre.commands.transaction import FundPaid, OrderCharge
from fob_office.centre.function.server import FunctionServer
from fob_office.centre.pieces import resolve
from fob_protocol.cose import mac0, sign1
from fob_protocol.cose.labels import Label
from fob_protocol.metering.kinds import Payment
from fob_protocol.metering.limits import PERMISSION_TIME
from fob_protocol.metering.records import Refill
from fob_protocol.metering.requests import Authenticated, FrankRequest, authenticated
from fob_protocol.metering.vouchers import ChargeOrder, Due, FundRecord
from fob_protocol.office.hashing import digest
from fob_protocol.office.message import read
from support.data_centre import LIMITS, DataCentre, WatchedPeers
from support.mailers import ORIGINS, Mailer
from support.octets import flipped
from support.payments import payments_of

# Begun before others: programs, or a whole data centre.
pytestmark = pytest.mark.slow


@dataclass
class Rogue:
    """It has a right pass and asks what it likes; a mailer's key it has not."""

    centre: DataCentre
    server: FunctionServer
    peers: WatchedPeers

    async def signed_up(self, name: str, **how: Any) -> Mailer:
        mailer = Mailer(self.centre, self.server, name)
        await mailer.sign_up(**how)
        return mailer

    async def due(self, mailer: Mailer, frank: FrankRequest | None = None) -> bytes:
        held = await self.server.refunding.changing.look(mailer.serial)
        pieces = None if frank is None else resolve(frank.pieces, ORIGINS).octets
        return (await self.peers.owner(mailer.serial, SayDue(held.meter, pieces))).due

    async def permission(self, mailer: Mailer, request: Authenticated) -> bytes:
        held = await self.server.refunding.changing.look(mailer.serial)
        permit = Permit(held.user, authenticated(mailer.key, request))
        permission = (await self.peers.any(Kind.AUTHENTICATION, permit)).permission
        assert permission is not None
        return permission

    async def ordered(self, due: bytes, permission: bytes | None, **how: Any) -> bytes:
        asked = replace(OrderCharge(due, permission, None, None), **how)
        return (await self.peers.any(Kind.TRANSACTION, asked)).order

    async def charged(self, order: bytes) -> bytes:
        return (await self.peers.any(Kind.PAYMENT, Charge(order))).receipt

    async def is_found(self, asking: Awaitable[Any]) -> None:
        """Refused by name, and there is a warning that it did not write."""
        before = len(await self.centre.warnings())
        with pytest.raises(BusRefusedError, match="tampering"):
            await asking
        assert [word for word, _ in (await self.centre.warnings())[before:]] == ["tampering"]


@pytest.fixture
async def rogue(centre: DataCentre) -> AsyncIterator[Rogue]:
    async with centre.function_server() as (server, peers):
        yield Rogue(centre, server, peers)


def _said(order: bytes) -> ChargeOrder:
    return read(ChargeOrder, sign1.unverified_payload(order))


@pytest.mark.clause("M29", "M4")
async def test_nobody_is_charged_for_what_no_transaction_box_ordered(rogue: Rogue) -> None:
    """A victim of whom everything public is known, and a thief's meter."""
    victim, thief = await rogue.signed_up("victim"), await rogue.signed_up("thief")
    order = ChargeOrder(victim.account, thief.serial, 1, 5_000, bytes(32), bytes(16), False, rogue.centre.now)
    await rogue.is_found(rogue.charged(order.signed(Ed25519PrivateKey.from_private_bytes(bytes(32)))))
    real = await rogue.ordered(await rogue.due(thief), await rogue.permission(thief, thief.load_request(5_000)))
    await rogue.is_found(rogue.charged(flipped(real)))
    assert _said(real).account == thief.account
    # What signs otherwise in the centre orders nothing.
    loaded = await victim.load(10)
    await rogue.is_found(rogue.charged(loaded.transaction))
    assert payments_of(rogue.centre, thief.serial) == (0, 0)


@pytest.mark.clause("M29", "M18")
async def test_a_permission_pays_for_the_meter_of_its_own_account(rogue: Rogue) -> None:
    victim, thief = await rogue.signed_up("victim"), await rogue.signed_up("thief")
    thiefs, victims = await rogue.due(thief), await rogue.due(victim)
    request = victim.load_request(5_000)
    permission = await rogue.permission(victim, request)
    await rogue.is_found(rogue.ordered(thiefs, permission))
    await rogue.is_found(rogue.ordered(victims, await rogue.permission(thief, thief.load_request(1))))
    drafted = replace(read(Due, mac0.unchecked_payload(thiefs)), account=victim.account)
    await rogue.is_found(rogue.ordered(mac0.authenticate(bytes(32), Label.DUE, [], drafted.octets()), permission))
    refund = await rogue.permission(victim, victim.refund_request(100))
    await rogue.is_found(rogue.ordered(victims, refund))
    # And the money that he permitted comes onto no other meter.
    signed = await rogue.charged(await rogue.ordered(victims, permission, request_id=request.request_id))
    fund = (await rogue.peers.any(Kind.TRANSACTION, FundPaid(signed))).fund
    assert read(FundRecord, mac0.unchecked_payload(fund)).account == victim.account
    held = await rogue.server.refunding.changing.look(thief.serial)
    act = Act(digest(request.octets()), request.request_id, None)
    with pytest.raises(BusRefusedError, match="tampering"):
        await rogue.peers.owner(thief.serial, Load(held.meter, fund, act))


@pytest.mark.clause("M29", "M33")
async def test_one_permission_is_one_charge_however_often_it_is_shown(rogue: Rogue) -> None:
    anna = await rogue.signed_up("anna")
    request = anna.load_request(300)
    permission = await rogue.permission(anna, request)
    first = await rogue.due(anna)
    receipt = await rogue.charged(await rogue.ordered(first, permission))
    # Under the same number the same receipt, whatever is asked.
    assert await rogue.charged(await rogue.ordered(first, permission, request_id=bytes(16))) == receipt
    await rogue.server.completing.complete_all()
    assert (await anna.about()).registers.descending == 300
    again = await rogue.ordered(await rogue.due(anna), permission)
    with pytest.raises(BusRefusedError, match="payment-refused"):
        await rogue.charged(again)
    late = await rogue.ordered(await rogue.due(anna), await rogue.permission(anna, anna.load_request(50)))
    rogue.centre.boxes.now += PERMISSION_TIME + 1
    with pytest.raises(BusRefusedError, match="stale"):
        await rogue.charged(late)
    with pytest.raises(BusRefusedError, match="stale"):
        await rogue.ordered(await rogue.due(anna), permission)
    assert payments_of(rogue.centre, anna.serial) == (300, 0)


@pytest.mark.clause("M29")
async def test_a_refill_is_for_a_meter_under_its_level(rogue: Rogue) -> None:
    anna = await rogue.signed_up("anna", refill=Refill(below=100, amount=500))

    async def ordered(counter: int, below: int | None) -> bytes:
        held = await rogue.server.refunding.changing.look(anna.serial)
        asked = PermitRefill(held.user, anna.serial, counter)
        permission = (await rogue.peers.any(Kind.AUTHENTICATION, asked)).permission
        return await rogue.ordered(await rogue.due(anna), permission, below=below)

    await rogue.charged(await ordered(1, 100))
    await rogue.server.completing.complete_all()
    for below in (100, 1_000, None):
        await rogue.is_found(ordered(7, below))
    assert payments_of(rogue.centre, anna.serial) == (500, 0)


@pytest.mark.clause("M29", "M30")
async def test_of_a_frank_what_is_missing_and_of_a_debt_what_is_owed(rogue: Rogue) -> None:
    rogue.centre.fee = 0
    ben, cleo = await rogue.signed_up("ben", payment=Payment.PER_USE), await rogue.signed_up("cleo")
    request = ben.frank_request(85, 100)
    frank = await rogue.permission(ben, request)
    assert _said(await rogue.ordered(await rogue.due(ben, request), frank)).amount == 185
    await ben.load(150)
    assert _said(await rogue.ordered(await rogue.due(ben, request), frank)).amount == 35
    await ben.load(35)
    await rogue.is_found(rogue.ordered(await rogue.due(ben, request), frank))
    # Nothing is owed.
    await rogue.is_found(rogue.ordered(await rogue.due(cleo), None))
    dora = await rogue.signed_up("dora", payment=Payment.POSTPAID)
    await dora.load(LIMITS.credit)
    order = _said(await rogue.ordered(await rogue.due(dora), None))
    assert (order.amount, order.is_settlement) == (LIMITS.credit, True)


@pytest.mark.clause("M29", "M24")
async def test_a_frank_is_charged_for_by_the_meter_boxs_word_for_its_pieces(rogue: Rogue) -> None:
    """Else the server would have the card charged for what the limits refuse afterwards."""
    ben = await rogue.signed_up("ben", payment=Payment.PER_USE)
    small, large = ben.frank_request(85), ben.frank_request(LIMITS.piece + 1)
    permission = await rogue.permission(ben, large)
    with pytest.raises(BusRefusedError, match="over-limit"):
        await rogue.due(ben, large)
    await rogue.is_found(rogue.ordered(await rogue.due(ben), permission))
    await rogue.is_found(rogue.ordered(await rogue.due(ben, small), permission))
    assert payments_of(rogue.centre, ben.serial) == (0, 0)
