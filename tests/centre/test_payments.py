"""The emulated payment provider keeps its word: each number of a meter is paid once, and said again."""

import asyncio
import random
import sqlite3
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec.structs import replace

from fob_office.centre.bus.answering import Table, row, serve
from fob_office.centre.bus.asking import Link
from fob_office.centre.bus.errors import AwayError, BusRefusedError
from fob_office.centre.bus.passes import Kind, Pass
from fob_office.centre.bus.signers import Signers
from fob_office.centre.commands.payment import Carded, Charge, FetchCard, FetchPaid, Paid, PayBack, SetCard
from fob_office.centre.payment.cards import card_table
from fob_office.centre.payment.emulated import EmulatedProvider
from fob_office.centre.payment.interface import PaymentRefusedError
from fob_office.centre.payment.ledger import Sums, Terms, card, open_ledger, set_card, sums
from fob_office.centre.payment.process import payment_table
from fob_office.errors import OperatorError
from fob_office.surroundings import Surroundings
from fob_protocol.metering.limits import AMOUNT_LIMIT, CLOCK_SKEW, PERMISSION_TIME
from fob_protocol.metering.vouchers import ChargeOrder, Receipt, read_receipt
from fob_protocol.office.hashing import digest
from support.centre import NOW, Centre
from support.payments import receipts

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
TERMS = Terms(balance=1_000)
ANNA, BERT = bytes(16), b"b" * 16
FIRST, SECOND = bytes(32), b"2" * 32


def charge(amount: int, number: int = 1, account: bytes = ANNA, request: bytes = FIRST) -> ChargeOrder:
    """Each number by a request of its own, where nothing else is said."""
    asked = request if number == 1 else digest(request + number.to_bytes())
    return ChargeOrder(account, "FM-1", number, amount, asked, asked[:16], False, NOW)


def of_meter(amount: int, number: int = 1) -> ChargeOrder:
    """Of a meter that there may be."""
    return replace(charge(amount, number), serial="FM01000000014")


def pay_back(amount: int, number: int) -> PayBack:
    return PayBack(ANNA, "FM-1", number, amount, FIRST, number.to_bytes(16), b"", b"")


def read(receipt: bytes) -> Receipt:
    return read_receipt(KEY.public_key().public_bytes_raw(), receipt)


def opened(folder: Path) -> EmulatedProvider:
    surroundings = Surroundings(lambda: NOW, random.Random(1).randbytes)
    return EmulatedProvider(open_ledger(folder / "payments.db"), KEY, surroundings, TERMS)


@pytest.fixture
def provider(tmp_path: Path) -> Iterator[EmulatedProvider]:
    made = opened(tmp_path)
    yield made
    made.close()


@pytest.mark.clause("M29")
async def test_a_receipt_says_what_was_paid_and_for_what(provider: EmulatedProvider) -> None:
    receipt = read(await provider.charge(charge(500)))
    assert receipt == Receipt(FIRST, "FM-1", 1, 500, False, FIRST[:16], NOW, ANNA)
    assert await provider.do(partial(card, account=ANNA, terms=TERMS)) == (500, 500, False)


@pytest.mark.clause("M29", "M33")
async def test_a_number_is_paid_once_and_said_again_whatever_is_asked(provider: EmulatedProvider) -> None:
    first = await provider.charge(charge(500))
    assert await provider.charge(charge(500)) == first
    assert await provider.charge(charge(300, request=SECOND)) == first
    assert await provider.do(partial(sums, account=ANNA)) == Sums(500, 0, 1)
    # What goes back has numbers of its own.
    back = await provider.pay_back(pay_back(300, 1))
    assert read(back).amount == -300
    assert await provider.pay_back(pay_back(200, 1)) == back
    assert await provider.charge(charge(500)) == first
    assert await provider.do(partial(sums, account=ANNA)) == Sums(500, 300, 2)


async def test_money_that_goes_back_is_on_the_card_again(provider: EmulatedProvider) -> None:
    await provider.charge(charge(500))
    receipt = read(await provider.pay_back(pay_back(200, 2)))
    assert (receipt.number, receipt.amount) == (2, -200)
    assert await provider.do(partial(sums, account=ANNA)) == Sums(500, 200, 2)
    assert await provider.do(partial(sums, account=BERT)) == Sums(0, 0, 0)
    assert await provider.do(partial(card, account=ANNA, terms=TERMS)) == (700, 300, False)
    with pytest.raises(PaymentRefusedError, match="under another number"):
        await provider.pay_back(replace(pay_back(200, 3), request_id=(2).to_bytes(16)))
    await provider.charge(charge(500, account=BERT, number=4))
    with pytest.raises(PaymentRefusedError, match="of this account"):
        await provider.pay_back(replace(pay_back(400, 5), serial="FM-2", account=BERT))
    listed = await provider.do(partial(receipts, serial="FM-1"))
    assert [read(octets).amount for octets in listed] == [500, 500, -200]


async def test_what_the_card_does_not_cover_is_refused_and_the_number_is_free(provider: EmulatedProvider) -> None:
    await provider.charge(charge(500))
    with pytest.raises(PaymentRefusedError, match="does not cover"):
        await provider.charge(charge(501, 2))
    assert read(await provider.charge(charge(500, 2))).amount == 500
    await provider.do(partial(set_card, account=ANNA, terms=TERMS, balance=1))
    assert read(await provider.charge(charge(1, 3))).amount == 1


async def test_no_more_goes_back_than_was_taken(provider: EmulatedProvider) -> None:
    await provider.charge(charge(100))
    with pytest.raises(PaymentRefusedError, match="more would go back"):
        await provider.pay_back(pay_back(101, 2))


@pytest.mark.clause("M29")
async def test_whatever_the_card_covers_is_taken_at_once(tmp_path: Path) -> None:
    """A debt that cannot be paid in parts is paid whole."""
    provider = opened(tmp_path)
    await provider.do(partial(set_card, account=ANNA, terms=TERMS, balance=AMOUNT_LIMIT))
    assert read(await provider.charge(charge(AMOUNT_LIMIT))).amount == AMOUNT_LIMIT
    assert await provider.do(partial(card, account=ANNA, terms=TERMS)) == (0, AMOUNT_LIMIT, False)
    provider.close()


async def test_a_refused_account_is_refused_until_it_is_not(provider: EmulatedProvider) -> None:
    await provider.do(partial(set_card, account=ANNA, terms=TERMS, is_refused=True))
    with pytest.raises(PaymentRefusedError, match="refused"):
        await provider.charge(charge(1))
    assert read(await provider.charge(charge(1, account=BERT))).amount == 1
    await provider.do(partial(set_card, account=ANNA, terms=TERMS, is_refused=False))
    assert read(await provider.charge(charge(1, 2))).amount == 1


async def test_of_many_that_pay_at_a_time_each_is_paid_once(provider: EmulatedProvider) -> None:
    asked = [charge(10, number, request=request) for number in range(1, 21) for request in (FIRST, SECOND)]
    paid = await asyncio.gather(*map(provider.charge, asked))
    assert len(set(paid)) == 20
    assert await provider.do(partial(sums, account=ANNA)) == Sums(200, 0, 20)


async def test_what_was_paid_is_known_after_a_new_start(tmp_path: Path) -> None:
    before = opened(tmp_path)
    receipt = await before.charge(charge(500))
    before.close()
    after = opened(tmp_path)
    assert await after.charge(charge(500)) == receipt
    after.close()


def test_a_book_of_another_version_or_none_is_not_used(tmp_path: Path) -> None:
    open_ledger(tmp_path / "payments.db").close()
    with sqlite3.connect(tmp_path / "payments.db") as connection:
        connection.execute("PRAGMA user_version = 6")
    connection.close()
    with pytest.raises(OperatorError, match="is of version 6, and this program of 5") as caught:
        open_ledger(tmp_path / "payments.db")
    assert len(caught.value.lines.splitlines()) == 3
    (tmp_path / "text").write_text("no database, whatever it is called\n" * 100)
    with pytest.raises(OperatorError, match="is no database") as caught:
        open_ledger(tmp_path / "text")
    assert len(caught.value.lines.splitlines()) == 3


async def test_function_servers_alone_ask_it_over_the_bus(tmp_path: Path, provider: EmulatedProvider) -> None:
    centre = Centre(tmp_path)
    me = centre.process(Kind.PAYMENT, "payment-1")
    asker, stranger = centre.process(Kind.FUNCTION, "function-1"), centre.process(Kind.DATABASE, "database-1")
    box = Ed25519PrivateKey.from_private_bytes(bytes(32))
    signs = centre.process(Kind.TRANSACTION, "transaction-1", signing=box.public_key().public_bytes_raw())
    warned: list[str] = []

    async def warn(peer: Pass, refused: BusRefusedError) -> None:
        warned.append(f"{peer.name}: {refused.word}")

    signers = Signers(centre.directory(), me.me.trust, Kind.TRANSACTION)
    table = payment_table(provider, signers, lambda: NOW, warn)

    def ordered(order: ChargeOrder, key: Ed25519PrivateKey = box) -> Charge:
        return Charge(order.signed(key))

    async with await serve(f"unix:{tmp_path}/payment-1", me.me, table) as server:
        centre.enter(me, server.address)
        centre.enter(signs, "unix:/nowhere")
        link = Link(asker.me, centre.directory(), "payment-1")
        assert read((await link.ask(ordered(of_meter(500)))).receipt).amount == 500
        with pytest.raises(BusRefusedError, match="payment-refused"):
            await link.ask(ordered(of_meter(501, 2)))
        # No transaction box said that a meter gave it up.
        with pytest.raises(BusRefusedError, match="tampering"):
            await link.ask(pay_back(100, 2))
        # The permission for it was used.
        with pytest.raises(BusRefusedError, match="payment-refused"):
            await link.ask(ordered(replace(of_meter(500), number=3)))
        for order in (of_meter(0), of_meter(1, 0), replace(of_meter(AMOUNT_LIMIT), fee=1)):
            with pytest.raises(BusRefusedError, match="malformed"):
                await link.ask(ordered(order))
        for late in (NOW - PERMISSION_TIME - 1, NOW + CLOCK_SKEW + 1):
            with pytest.raises(BusRefusedError, match="stale"):
                await link.ask(ordered(replace(of_meter(1, 2), time=late)))
        assert warned == []
        broken = (
            {"account": b""}, {"request_digest": b""}, {"request_id": b""}, {"serial": "no serial!"}, {"amount": -1},
        )  # fmt: skip
        forged = [ordered(replace(of_meter(1, 2), **other)) for other in broken]
        forged += [ordered(of_meter(1, 2), KEY), Charge(b"")]
        for asked in forged:
            with pytest.raises(BusRefusedError, match="tampering"):
                await link.ask(asked)
        assert warned == ["function-1: tampering"] * len(forged)
        link.close()
        other = Link(stranger.me, centre.directory(), "payment-1")
        with pytest.raises(AwayError):
            await other.ask(ordered(of_meter(500)))
        other.close()


async def nothing_paid(_: Pass, asked: FetchPaid) -> Paid:
    """So that a function server has some business there."""
    return Paid(None)


async def test_an_operator_alone_sees_and_changes_cards(tmp_path: Path, provider: EmulatedProvider) -> None:
    centre = Centre(tmp_path)
    me = centre.process(Kind.PAYMENT, "payment-1")
    operator, function = centre.process(Kind.OPERATOR, "operator-1"), centre.process(Kind.FUNCTION, "function-1")
    table: Table = {FetchPaid: row((Kind.FUNCTION,), nothing_paid), **card_table(provider, TERMS)}
    async with await serve(f"unix:{tmp_path}/payment-1", me.me, table) as server:
        centre.enter(me, server.address)
        link = Link(operator.me, centre.directory(), "payment-1")
        assert await link.ask(FetchCard(ANNA)) == Carded(1_000, False, 0, 0, 0)
        assert await link.ask(SetCard(ANNA, 5, None)) == Carded(5, False, 0, 0, 0)
        with pytest.raises(PaymentRefusedError, match="does not cover"):
            await provider.charge(charge(6))
        await provider.charge(charge(5))
        await provider.pay_back(pay_back(2, 2))
        # What is not said stays.
        assert await link.ask(SetCard(ANNA, None, True)) == Carded(2, True, 5, 2, 2)
        with pytest.raises(PaymentRefusedError, match="refused"):
            await provider.charge(charge(1, 3))
        assert await link.ask(SetCard(ANNA, None, False)) == Carded(2, False, 5, 2, 2)
        for asked in (
            FetchCard(b""),
            SetCard(bytes(17), 5, None),
            SetCard(ANNA, -1, None),
            SetCard(ANNA, 10**13, None),
        ):
            with pytest.raises(BusRefusedError, match="malformed"):
                await link.ask(asked)
        assert await link.ask(FetchCard(ANNA)) == Carded(2, False, 5, 2, 2)
        link.close()
        stranger = Link(function.me, centre.directory(), "payment-1")
        for theirs in (FetchCard(ANNA), SetCard(ANNA, 10_000, False)):
            with pytest.raises(BusRefusedError, match="not-yours"):
                await stranger.ask(theirs)
        stranger.close()


@pytest.mark.clause("M30")
async def test_what_signing_up_costs_is_taken_with_the_amount_and_told_beside_it(provider: EmulatedProvider) -> None:
    asked = replace(charge(500), fee=70)
    assert (read(await provider.charge(asked)).amount, read(await provider.charge(asked)).fee) == (500, 70)
    assert await provider.do(partial(card, account=ANNA, terms=TERMS)) == (430, 570, False)
    with pytest.raises(PaymentRefusedError, match="does not cover"):
        await provider.charge(replace(charge(430, number=2), fee=1))


@pytest.mark.clause("M29", "M33")
async def test_what_was_taken_is_open_until_it_came_in(tmp_path: Path) -> None:
    provider = opened(tmp_path)
    taken = [await provider.charge(charge(10, number)) for number in range(1, 4)]
    await provider.pay_back(pay_back(10, 2))
    assert await provider.open(("", 0), NOW - 1) == []
    id_of_second = read(taken[1]).request_id
    for request_id, amount in ((b"another request.", 10), (id_of_second, 11), (id_of_second, -10)):
        assert not await provider.came_in("FM-1", request_id, amount)
    assert not await provider.came_in("FM-2", id_of_second, 10)
    for _ in range(2):
        assert await provider.came_in("FM-1", id_of_second, 10)
    provider.close()
    again = opened(tmp_path)
    assert await again.open(("", 0), NOW) == [taken[0], taken[2]]
    assert await again.open(("FM-1", 1), NOW) == [taken[2]]
    again.close()
