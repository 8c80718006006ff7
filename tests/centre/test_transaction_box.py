"""The transaction box: money that came, what was done, and a log that only grows (M4, M6, M29)."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec.structs import replace

from fob_office.centre.boxes.orders import sign_order
from fob_office.centre.boxes.separation import Purpose
from fob_office.centre.bus.errors import BusRefusedError
from fob_office.centre.bus.passes import Kind
from fob_office.centre.commands.transaction import Attest, FundOwed, FundPaid, SignCheckpoint
from fob_office.centre.following import rule_digest
from fob_office.centre.pieces import resolve
from fob_protocol.cose import mac0
from fob_protocol.cose.cbor import Value
from fob_protocol.cose.labels import Label
from fob_protocol.metering.epochs import epoch_of
from fob_protocol.metering.indicium import Indicium
from fob_protocol.metering.kinds import Deed, Freshness
from fob_protocol.metering.limits import CLOCK_SKEW, PERMISSION_TIME
from fob_protocol.metering.log.checkpoint import origin_of, read_checkpoint
from fob_protocol.metering.log.tree import Frontier, consistency_proof
from fob_protocol.metering.records import Limits
from fob_protocol.metering.requests import Piece
from fob_protocol.metering.transaction import TransactionRecord, read_transaction
from fob_protocol.metering.values import Indicated
from fob_protocol.metering.vouchers import Due, FundRecord, KeyOrder, MeterOrder, Permission, Receipt
from fob_protocol.office.hashing import digest
from fob_protocol.office.message import Message, read
from support.centre_key_boxes import EUR, KeyBoxes, key_boxes
from support.octets import octet_flips

SERIAL = "FM01000000014"
ACCOUNT = b"a mailer's name."
REQUEST = digest(b"what a device asked for")
LIMITS = Limits(piece=500, daily=9_000, credit=700, spent=0, day=0)
PIECES = (Piece(95, "80331", b"a" * 16, None, "letter"), Piece(160, "10557", b"b" * 16, "10115", "letter"))
RESOLVED = resolve(PIECES, ("20095", "10115"))
BOX = "transaction-1"


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[KeyBoxes]:
    async with key_boxes(tmp_path, BOX, "steel-1", "authentication-1", "meter-1", "payment-1") as made:
        yield made


def signing(world: KeyBoxes) -> bytes:
    """The public key in the box's pass."""
    key = world.open[BOX].links.directory.pass_of(BOX).signing
    assert key is not None
    return key


def made(world: KeyBoxes, message: Message, label: Label, box: str, purpose: Purpose, *context: Value) -> bytes:
    """As this box makes it."""
    return mac0.authenticate(world.open[box].vault.derive(purpose, *context), label, [], message.octets())


def receipt_of(world: KeyBoxes, **other: Any) -> Receipt:
    receipt = Receipt(REQUEST, SERIAL, 1, 5_000, False, bytes(16), world.boxes.now, ACCOUNT)
    return replace(receipt, **other)


def permission_of(world: KeyBoxes, **other: Any) -> bytes:
    permission = Permission(ACCOUNT, REQUEST, Deed.LOAD, SERIAL, 5_000, None, world.boxes.now)
    permission = replace(permission, **other)
    return made(world, permission, Label.PERMISSION, "authentication-1", Purpose.PERMISSION, permission.account)


def due_of(world: KeyBoxes, **other: Any) -> bytes:
    """What a meter box says of money: there are 50, and its record is the seventh."""
    due = replace(Due(SERIAL, ACCOUNT, 3, 7, 50, 0, 0, world.boxes.now), **other)
    return made(world, due, Label.DUE, "meter-1", Purpose.CHANGE, SERIAL)


def owed(world: KeyBoxes, below: int | None = None, due: bytes | None = None, **permitted: Any) -> FundOwed:
    return FundOwed(due_of(world) if due is None else due, permission_of(world, **permitted), below)


def opened_fund(world: KeyBoxes, signed: bytes) -> FundRecord:
    """As a meter box checks it."""
    key = world.open["meter-1"].vault.derive(Purpose.FUND, SERIAL, epoch_of(world.boxes.now))
    return read(FundRecord, mac0.check(key, Label.FUND_RECORD, [], signed))


class TestFunds:
    @pytest.mark.clause("M29")
    @pytest.mark.parametrize("is_settlement", [False, True])
    async def test_money_that_came_is_the_meters(self, world: KeyBoxes, is_settlement: bool) -> None:
        signed = receipt_of(world, is_settlement=is_settlement).signed(world.signing_key("payment-1"))
        funds = [opened_fund(world, (await world.ask(BOX, FundPaid(signed))).fund) for _ in range(2)]
        now = world.boxes.now
        told = FundRecord(REQUEST, SERIAL, 1, 5_000, digest(signed), is_settlement, now, epoch_of(now), ACCOUNT)
        assert funds == [told, told]

    @pytest.mark.clause("M30")
    async def test_what_signing_up_costs_is_told_beside_the_amount(self, world: KeyBoxes) -> None:
        signed = receipt_of(world, amount=0, fee=500, is_settlement=True).signed(world.signing_key("payment-1"))
        fund = opened_fund(world, (await world.ask(BOX, FundPaid(signed))).fund)
        assert (fund.amount, fund.fee) == (0, 500)

    async def test_every_bit_of_a_receipt_counts(self, world: KeyBoxes) -> None:
        for flipped in octet_flips(receipt_of(world).signed(world.signing_key("payment-1"))):
            with pytest.raises(BusRefusedError, match="tampering"):
                await world.ask(BOX, FundPaid(flipped))

    async def test_only_a_payment_provider_of_this_centre_is_believed(self, world: KeyBoxes) -> None:
        stranger = Ed25519PrivateKey.from_private_bytes(bytes(32))
        for key in (stranger, world.signing_key(BOX)):
            with pytest.raises(BusRefusedError, match="tampering"):
                await world.ask(BOX, FundPaid(receipt_of(world).signed(key)))

    @pytest.mark.parametrize("other", [{"amount": 0}, {"amount": -5}], ids=str)
    async def test_a_receipt_of_no_load_is_refused(self, world: KeyBoxes, other: dict[str, int]) -> None:
        signed = receipt_of(world, **other).signed(world.signing_key("payment-1"))
        with pytest.raises(BusRefusedError, match="tampering"):
            await world.ask(BOX, FundPaid(signed))

    async def test_a_provider_whose_pass_is_over_is_not_believed(self, world: KeyBoxes) -> None:
        signed = receipt_of(world).signed(world.signing_key("payment-1"))
        world.boxes.now += 2 * 366 * 24 * 3600
        with pytest.raises(BusRefusedError, match="tampering: the pass of payment-1 has expired"):
            await world.ask(BOX, FundPaid(signed))

    async def test_what_is_owed_was_permitted(self, world: KeyBoxes) -> None:
        fund = opened_fund(world, (await world.ask(BOX, owed(world))).fund)
        now = world.boxes.now
        # For the record that the meter box spoke of.
        assert fund == FundRecord(REQUEST, SERIAL, 7, 5_000, None, False, now, epoch_of(now), ACCOUNT)

    @pytest.mark.parametrize("age", [PERMISSION_TIME, -CLOCK_SKEW])
    async def test_a_permission_has_its_time(self, world: KeyBoxes, age: int) -> None:
        now = world.boxes.now
        await world.ask(BOX, owed(world, time=now - age))
        await world.ask(BOX, owed(world, due=due_of(world, time=now - age)))
        too_much = now - (age + 1 if age > 0 else age - 1)
        for asked in (owed(world, time=too_much), owed(world, due=due_of(world, time=too_much))):
            with pytest.raises(BusRefusedError, match="stale"):
                await world.ask(BOX, asked)

    async def test_another_permission_lends_nothing(self, world: KeyBoxes) -> None:
        with pytest.raises(BusRefusedError, match="tampering"):
            await world.ask(BOX, owed(world, deed=Deed.REFUND))
        for flipped in octet_flips(permission_of(world)):
            with pytest.raises(BusRefusedError, match="tampering"):
                await world.ask(BOX, FundOwed(due_of(world), flipped, None))
        for flipped in octet_flips(due_of(world)):
            with pytest.raises(BusRefusedError, match="tampering"):
                await world.ask(BOX, owed(world, due=flipped))
        with pytest.raises(BusRefusedError, match="another account, or another meter"):
            await world.ask(BOX, owed(world, due=due_of(world, account=bytes(16))))

    @pytest.mark.clause("M29")
    async def test_a_refill_lends_nothing_above_its_level(self, world: KeyBoxes) -> None:
        rule = rule_digest(100)
        await world.ask(BOX, owed(world, 100, due_of(world, descending=99), pieces=rule))
        enough = due_of(world, descending=100)
        for asked in (owed(world, 100, enough, pieces=rule), owed(world, 101, pieces=rule), owed(world, pieces=rule)):
            with pytest.raises(BusRefusedError, match="tampering: nobody permitted this charge: no refill is due"):
                await world.ask(BOX, asked)

    @pytest.mark.clause("M29")
    async def test_a_receipt_is_taken_though_the_clocks_disagree(self, world: KeyBoxes) -> None:
        """Its number goes in once, whenever it was."""
        signed = receipt_of(world, time=1 << 50).signed(world.signing_key("payment-1"))
        assert opened_fund(world, (await world.ask(BOX, FundPaid(signed))).fund).time == world.boxes.now


@dataclass
class Done:
    """Something done with a meter, and by what: both agree."""

    draft: TransactionRecord
    voucher: bytes = field(repr=False)


def done(world: KeyBoxes, deed: Deed) -> Done:
    """One of each deed."""
    now = world.boxes.now
    later = TransactionRecord(
        request_id=bytes(16), serial=SERIAL, deed=deed, counter=18, amount=0, ascending=400, descending=1_600,
        loads=2_000, pieces=4, indicia=(), integrity=None, time=now, before=digest(b"before"), after=digest(b"after"),
    )  # fmt: skip
    match deed:
        case Deed.CREATE:
            order = MeterOrder(SERIAL, ACCOUNT, EUR, Freshness.TIME, LIMITS, 1, b"wrapped", REQUEST, now)
            draft = replace(later, counter=1, ascending=0, descending=0, loads=0, pieces=0, before=None)
            return Done(draft, sign_order(world.open["steel-1"].vault, order))
        case Deed.LOAD | Deed.SETTLE:
            fund = FundRecord(REQUEST, SERIAL, 1, 500, None, deed is Deed.SETTLE, now, epoch_of(now), ACCOUNT)
            voucher = made(world, fund, Label.FUND_RECORD, BOX, Purpose.FUND, SERIAL, fund.epoch)
            return Done(replace(later, amount=500), voucher)
        case Deed.FRANK:
            draft = replace(later, amount=255, indicia=indicia(), integrity=digest(b"rates"))
            return Done(draft, permission_of(world, deed=deed, amount=255, pieces=RESOLVED.digest))
        case Deed.CREDIT:
            unused = indicia()[0]
            voucher = permission_of(world, deed=deed, amount=95, pieces=digest(unused.octets()))
            return Done(replace(later, amount=95, indicia=(unused,)), voucher)
        case Deed.REFUND:
            return Done(replace(later, amount=500), permission_of(world, deed=deed, amount=500))
        case _:
            limits = LIMITS if deed is Deed.CHANGE else None
            wanted = KeyOrder(deed, SERIAL, 17, limits, now)
            return Done(later, sign_order(world.open["steel-1"].vault, wanted))


def indicia(**other: Any) -> tuple[Indicated, ...]:
    made = []
    for number, piece in enumerate(RESOLVED.pieces):
        indicium = Indicium(
            serial=SERIAL, counter=18, piece=number, amount=piece.amount, value_kind=EUR, date=2027_01_15,
            origin=piece.origin or "", destination=piece.destination, addressee=piece.addressee,
            mail_class=piece.mail_class, ascending=400, key_version=1,
        )  # fmt: skip
        made.append(Indicated(replace(indicium, **other).octets(), bytes(16)))
    return tuple(made)


def change_of(world: KeyBoxes, draft: TransactionRecord) -> bytes:
    """As a meter box says that it did this."""
    return made(world, draft, Label.CHANGE, "meter-1", Purpose.CHANGE, draft.serial)


async def attested(world: KeyBoxes, draft: TransactionRecord, voucher: bytes) -> bytes:
    return (await world.ask(BOX, Attest(change_of(world, draft), voucher))).transaction


class TestAttesting:
    @pytest.mark.clause("M6")
    @pytest.mark.parametrize("deed", Deed)
    async def test_what_somebody_wanted_is_signed(self, world: KeyBoxes, deed: Deed) -> None:
        made = done(world, deed)
        signed = await attested(world, made.draft, made.voucher)
        assert read_transaction(signing(world), signed) == made.draft

    @pytest.mark.clause("M6")
    async def test_every_bit_of_a_voucher_counts(self, world: KeyBoxes) -> None:
        for deed in Deed:
            made = done(world, deed)
            for flipped in octet_flips(made.voucher):
                with pytest.raises(BusRefusedError, match=r"tampering|epoch-rollback"):
                    await attested(world, made.draft, flipped)

    async def test_a_voucher_is_for_its_own_deed(self, world: KeyBoxes) -> None:
        for deed in Deed:
            made = done(world, deed)
            for other in set(Deed) - {deed}:
                with pytest.raises(BusRefusedError, match="tampering"):
                    await attested(world, made.draft, done(world, other).voucher)

    async def test_meter_and_amount_are_those_of_the_voucher(self, world: KeyBoxes) -> None:
        for deed in Deed:
            made = done(world, deed)
            draft = made.draft
            wrong = [
                replace(draft, serial="FM01000000022"),
                replace(draft, amount=draft.amount + 1),
                replace(draft, loads=draft.loads + 1),
                replace(draft, fee=1),
                replace(draft, indicia=indicia(piece=7)),
            ]
            for each in wrong:
                with pytest.raises(BusRefusedError, match="tampering"):
                    await attested(world, each, made.voucher)

    @pytest.mark.parametrize(
        "other",
        [
            {"amount": 96},
            {"destination": "80333"},
            {"addressee": bytes(16)},
            {"origin": "80333"},
            {"mail_class": "parcel"},
            {"counter": 19},
            {"piece": 1},
            {"serial": "FM01000000022"},
        ],
        ids=str,
    )
    async def test_an_indicium_is_what_the_mailer_asked_for(self, world: KeyBoxes, other: dict[str, Any]) -> None:
        made = done(world, Deed.FRANK)
        first, second = made.draft.indicia
        wrong = Indicated(replace(read(Indicium, first.indicium), **other).octets(), first.token)
        for shown in ((wrong, second), (second, first), (first,), (), (Indicated(b"\x80", bytes(16)), second)):
            with pytest.raises(BusRefusedError, match="tampering"):
                await attested(world, replace(made.draft, indicia=shown), made.voucher)

    async def test_a_new_meter_has_done_nothing(self, world: KeyBoxes) -> None:
        made = done(world, Deed.CREATE)
        for other in ({"counter": 2}, {"pieces": 1}, {"loads": 5, "descending": 5}, {"before": bytes(32)}):
            with pytest.raises(BusRefusedError, match="tampering"):
                await attested(world, replace(made.draft, **other), made.voucher)

    async def test_an_order_is_for_one_record(self, world: KeyBoxes) -> None:
        made = done(world, Deed.STOP)
        for counter in (17, 19):
            with pytest.raises(BusRefusedError, match="tampering"):
                await attested(world, replace(made.draft, counter=counter), made.voucher)

    @pytest.mark.clause("M33")
    async def test_what_was_ended_later_is_attested_with_its_own_time(self, world: KeyBoxes) -> None:
        made = done(world, Deed.FRANK)
        world.boxes.now += 7 * 24 * 3600
        await attested(world, made.draft, made.voucher)
        late = replace(made.draft, time=world.boxes.now)
        with pytest.raises(BusRefusedError, match="tampering"):
            await attested(world, late, made.voucher)

    @pytest.mark.clause("M6", "M33")
    @pytest.mark.parametrize("deed", Deed)
    async def test_what_was_done_by_a_clock_that_was_ahead_is_signed_when_it_is_right(
        self, world: KeyBoxes, deed: Deed
    ) -> None:
        now = world.boxes.now
        world.boxes.now += 200 * 24 * 3600
        made = done(world, deed)
        world.boxes.now = now
        signed = await attested(world, made.draft, made.voucher)
        assert read_transaction(signing(world), signed) == made.draft

    @pytest.mark.clause("M4", "M6", "M29")
    async def test_what_no_meter_box_did_is_not_signed(self, world: KeyBoxes) -> None:
        """For whoever has a right voucher: every bit of a change counts, and its code is for one meter."""
        for deed in (Deed.REFUND, Deed.STOP):
            what = done(world, deed)
            right = change_of(world, what.draft)
            wrong = [
                made(world, what.draft, Label.CHANGE, "meter-1", Purpose.CHANGE, "FM01000000022"),
                made(world, what.draft, Label.METER_RECORD, "meter-1", Purpose.CHANGE, SERIAL),
                made(world, what.draft, Label.CHANGE, "meter-1", Purpose.RECORD, SERIAL),
                what.draft.octets(),
                what.voucher,
                right + b"\x00",
                right + bytes(1 << 15),
                b"",
            ]
            for each in (*octet_flips(right), *wrong):
                with pytest.raises(BusRefusedError, match="tampering"):
                    await world.ask(BOX, Attest(each, what.voucher))


class Log:
    """A log of numbers, and the proofs of it."""

    def __init__(self) -> None:
        self._nodes: dict[tuple[int, int], bytes] = {}
        self.frontier = Frontier()

    def get(self, level: int, index: int) -> bytes:
        return self._nodes[level, index]

    def grow(self, *entries: int) -> None:
        for entry in entries:
            self.frontier, nodes = self.frontier.append(digest(bytes([entry])))
            self._nodes.update({(node.level, node.index): node.hash for node in nodes})

    def asked(self, earlier: int) -> SignCheckpoint:
        proof = consistency_proof(self, earlier, self.frontier.size)
        return SignCheckpoint(earlier, self.frontier.size, self.frontier.root, tuple(proof))


async def signed(world: KeyBoxes, command: SignCheckpoint) -> bytes:
    return (await world.ask(BOX, command, Kind.DATABASE)).checkpoint


class TestCheckpoints:
    async def test_a_log_that_goes_on_is_signed(self, world: KeyBoxes) -> None:
        log = Log()
        origin = origin_of(world.boxes.manufacturing_key)
        for earlier, entries in ((0, (1, 2, 3)), (3, (4,)), (4, ()), (4, range(5, 40))):
            log.grow(*entries)
            checkpoint = read_checkpoint([signing(world)], origin, await signed(world, log.asked(earlier)))
            assert (checkpoint.head, checkpoint.time) == ((log.frontier.size, log.frontier.root), world.boxes.now)

    @pytest.mark.clause("M23")
    async def test_another_log_is_tampering_whatever_was_restarted(self, world: KeyBoxes) -> None:
        log, edited = Log(), Log()
        log.grow(1, 2, 3)
        await signed(world, log.asked(0))
        edited.grow(1, 9, 3, 4)
        await world.stop(BOX)
        await world.start(BOX)
        for command in (edited.asked(3), replace(edited.asked(3), proof=())):
            with pytest.raises(BusRefusedError, match="tampering"):
                await signed(world, command)
        # Of one size there is one.
        other = Log()
        other.grow(1, 9, 3)
        with pytest.raises(BusRefusedError, match="tampering"):
            await signed(world, other.asked(3))
        log.grow(4)
        await signed(world, log.asked(3))

    async def test_a_proof_from_another_size_is_told_the_right_one(self, world: KeyBoxes) -> None:
        log = Log()
        log.grow(1, 2, 3)
        with pytest.raises(BusRefusedError, match="other-size") as none:
            await signed(world, log.asked(2))
        assert none.value.data is None
        newest = await signed(world, log.asked(0))
        short = Log()
        short.grow(1, 2)
        log.grow(4)
        for command in (log.asked(0), log.asked(2), short.asked(0), replace(short.asked(2), earlier=3)):
            with pytest.raises(BusRefusedError, match="other-size") as refused:
                await signed(world, command)
            assert refused.value.data == newest
