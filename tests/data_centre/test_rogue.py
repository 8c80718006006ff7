"""A function server of the attacker's: a right pass, and programs of its own (M4, M6, M29)."""

from collections.abc import AsyncIterator, Awaitable
from dataclasses import dataclass
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec.structs import replace

from fob_office.centre.bus.errors import BusRefusedError
from fob_office.centre.bus.passes import Kind
from fob_office.centre.commands.authentication import Permit, RecordUser
from fob_office.centre.commands.database import Fetch, NewRecord, Store
from fob_office.centre.commands.meter import Act, Changed, Refund
from fob_office.centre.commands.payment import PayBack, Receipted
from fob_office.centre.commands.steel import OrderUser
from fob_office.centre.commands.transaction import Attest
from fob_protocol.cose import mac0
from fob_protocol.cose.labels import Label
from fob_protocol.metering.kinds import Deed
from fob_protocol.metering.records import MeterRecord
from fob_protocol.metering.requests import RefundRequest, SignUpRequest, authenticated, read_signed
from fob_protocol.metering.transaction import TransactionRecord
from fob_protocol.office.hashing import digest
from fob_protocol.office.message import read
from support.data_centre import DataCentre, WatchedPeers
from support.mailers import Mailer
from support.payments import payments_of

pytestmark = pytest.mark.slow


@dataclass
class Rogue:
    """What it does with its place on the bus, and a mailer who is in it."""

    centre: DataCentre
    peers: WatchedPeers
    mailer: Mailer

    async def record(self) -> bytes:
        """The newest meter record."""
        return (await self._fetched())[0]

    async def registers(self) -> Any:
        return _opened(await self.record()).registers

    async def permission(self, request: RefundRequest) -> bytes:
        """As an authentication box gives it to whoever brings the mailer's request."""
        permit = Permit((await self._fetched())[1], authenticated(self.mailer.key, request))
        return (await self.peers.any(Kind.AUTHENTICATION, permit)).permission or b""

    async def refunded(self, request: RefundRequest) -> Changed:
        """Asked of the meter box, as honest ones ask."""
        act = Act(digest(request.octets()), request.request_id, None)
        refund = Refund(await self.record(), await self.permission(request), act)
        return await self.peers.owner(self.mailer.serial, refund)

    async def attested(self, change: bytes, voucher: bytes) -> bytes:
        return (await self.peers.any(Kind.TRANSACTION, Attest(change, voucher))).transaction

    async def stored(self, record: bytes, before: int, transaction: bytes) -> None:
        meter = NewRecord(self.mailer.serial.encode(), before, record)
        random = self.mailer.random
        store = Store(random(16), random(32), b"", meter, None, None, self.mailer.serial, transaction, None)
        await self.peers.any(Kind.DATABASE, store)

    async def paid_back(self, changed: Changed, signed: bytes, **other: Any) -> Receipted:
        record = _opened(changed.record)
        back = PayBack(
            record.account, record.serial, record.registers.counter, changed.amount, record.last,
            changed.act.request_id, signed, changed.record,
        )  # fmt: skip
        return await self.peers.any(Kind.PAYMENT, replace(back, **other))

    async def is_tampering(self, asking: Awaitable[Any]) -> None:
        """Refused by name, and there is a warning that it did not write."""
        before = len(await self.centre.warnings())
        with pytest.raises(BusRefusedError, match="tampering"):
            await asking
        assert [word for word, _ in (await self.centre.warnings())[before:]] == ["tampering"]

    async def _fetched(self) -> tuple[bytes, bytes]:
        found = await self.peers.any(Kind.DATABASE, Fetch(bytes(16), self.mailer.serial))
        assert found.meter is not None
        assert found.user is not None
        return found.meter, found.user


@pytest.fixture
async def rogue(centre: DataCentre) -> AsyncIterator[Rogue]:
    async with centre.function_server() as (server, peers):
        anna = Mailer(centre, server)
        await anna.sign_up()
        await anna.load(1_000)
        yield Rogue(centre, peers, anna)


@pytest.mark.clause("M14", "M19")
async def test_an_account_is_not_taken_over_without_its_password(rogue: Rogue) -> None:
    """The steel box makes a key for any account; with a sign-up of his own the thief asks for the record to it."""
    thief = Mailer(rogue.centre, rogue.mailer.server)
    signed = thief.sign_up_request().signed
    request = read_signed(SignUpRequest, signed)
    order = OrderUser(rogue.mailer.account, request.sealing_key, digest(request.octets()))
    taken = RecordUser((await rogue.peers.any(Kind.STEEL, order)).order, signed)
    await rogue.is_tampering(rogue.peers.any(Kind.AUTHENTICATION, taken))
    await rogue.mailer.frank(85)


@pytest.mark.clause("M4", "M6", "M29")
async def test_no_refund_is_attested_that_no_meter_box_made(rogue: Rogue) -> None:
    """All postage is used; a lawful record of a refund is drafted, with the permission that the mailer gives for it."""
    await rogue.mailer.frank(500, 500)
    request = rogue.mailer.refund_request(500)
    permission = await rogue.permission(request)
    with pytest.raises(BusRefusedError, match="insufficient-funds"):
        await rogue.refunded(request)
    now = await rogue.registers()
    drafted = TransactionRecord(
        request.request_id, rogue.mailer.serial, Deed.REFUND, now.counter + 1, 500, now.ascending, 0, now.ascending,
        now.pieces, (), None, rogue.centre.now, bytes(32), bytes(32),
    )  # fmt: skip
    for change in (drafted.octets(), mac0.authenticate(bytes(32), Label.CHANGE, [], drafted.octets())):
        await rogue.is_tampering(rogue.attested(change, permission))
    assert payments_of(rogue.centre, rogue.mailer.serial) == (1_000, 0)


@pytest.mark.clause("M6", "M29", "M33")
async def test_one_refund_is_paid_once_whatever_is_asked(rogue: Rogue) -> None:
    """Out of the meter once; attested again with another id, named under other numbers, for others."""
    request = rogue.mailer.refund_request(400)
    changed = await rogue.refunded(request)
    transaction = await rogue.attested(changed.change, changed.voucher)
    another = replace(_said(changed), request_id=bytes(16))
    forged = mac0.authenticate(bytes(32), Label.CHANGE, [], another.octets())
    await rogue.is_tampering(rogue.attested(forged, changed.voucher))
    record = _opened(changed.record)
    wrong = (
        {"number": record.registers.counter + 1},
        {"number": record.funds},
        {"amount": 401},
        {"account": bytes(16)},
        {"request_digest": bytes(32)},
        {"request_id": bytes(16)},
        {"serial": "FM00000000026"},
        {"record": await rogue.record()},
        {"record": mac0.authenticate(bytes(32), Label.METER_RECORD, [], replace(record, funds=9).octets())},
        {"transaction": another.signed(Ed25519PrivateKey.from_private_bytes(bytes(32)))},
    )
    for other in wrong:
        with pytest.raises(BusRefusedError, match="tampering"):
            await rogue.paid_back(changed, transaction, **other)
    paid = await rogue.paid_back(changed, transaction)
    # The code is always the same: it is attested as often as it is asked for, and pays nothing more.
    again = await rogue.attested(changed.change, changed.voucher)
    assert await rogue.paid_back(changed, again) == paid
    assert payments_of(rogue.centre, rogue.mailer.serial) == (1_000, 400)


@pytest.mark.clause("M6", "M23")
async def test_nothing_is_stored_that_was_not_attested(rogue: Rogue) -> None:
    """A voucher that was good once signs no other registers, and the log takes no record that no box made."""
    await rogue.mailer.frank(100)
    changed = await rogue.refunded(rogue.mailer.refund_request(400))
    counter = _opened(changed.record).registers.counter
    transaction = await rogue.attested(changed.change, changed.voucher)
    rich = replace(_said(changed), descending=10**12, loads=10**12 + 100, request_id=bytes(16))
    forged = mac0.authenticate(bytes(32), Label.CHANGE, [], rich.octets())
    await rogue.is_tampering(rogue.attested(forged, changed.voucher))
    junk = mac0.authenticate(bytes(32), Label.METER_RECORD, [], _opened(changed.record).octets())
    key = Ed25519PrivateKey.from_private_bytes(bytes(32))
    await rogue.is_tampering(rogue.stored(junk, counter - 1, transaction))
    await rogue.is_tampering(rogue.stored(junk, counter - 1, replace(rich, after=digest(junk)).signed(key)))
    await rogue.is_tampering(rogue.stored(changed.record, counter - 1, _said(changed).signed(key)))
    # What the meter box did is ended by the next honest one.
    assert (await rogue.mailer.frank(100)).registers.descending == 400


def _opened(signed: bytes) -> MeterRecord:
    return read(MeterRecord, mac0.unchecked_payload(signed))


def _said(changed: Changed) -> TransactionRecord:
    return read(TransactionRecord, mac0.unchecked_payload(changed.change))
