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

from fob_office.centre.bus.answering import serve
from fob_office.centre.bus.asking import Link
from fob_office.centre.bus.errors import AwayError, BusRefusedError
from fob_office.centre.bus.passes import Kind
from fob_office.centre.bus.signers import Signers
from fob_office.centre.commands.payment import Charge, PayBack
from fob_office.centre.payment.emulated import EmulatedProvider
from fob_office.centre.payment.interface import PaymentRefusedError
from fob_office.centre.payment.ledger import Sums, Terms, card, open_ledger, receipts, refuse, set_balance, sums
from fob_office.centre.payment.process import payment_table
from fob_office.errors import OperatorError
from fob_office.surroundings import Surroundings
from fob_protocol.metering.vouchers import Receipt, read_receipt
from support.centre import NOW, Centre

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
TERMS = Terms(balance=1_000, most=600)
ANNA, BERT = bytes(16), b"b" * 16
FIRST, SECOND = bytes(32), b"2" * 32


def charge(amount: int, number: int = 1, account: bytes = ANNA, request: bytes = FIRST) -> Charge:
    return Charge(account, "FM-1", number, amount, request, request[:16], is_settlement=False)


def pay_back(amount: int, number: int) -> PayBack:
    return PayBack(ANNA, "FM-1", number, amount, FIRST, number.to_bytes(16), b"")


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
    assert receipt == Receipt(FIRST, "FM-1", 1, 500, False, FIRST[:16], NOW)
    assert await provider.do(partial(card, account=ANNA, terms=TERMS)) == (500, 500, False)


@pytest.mark.clause("M29", "M33")
async def test_a_number_is_paid_once_and_said_again_whatever_is_asked(provider: EmulatedProvider) -> None:
    first = await provider.charge(charge(500))
    assert await provider.charge(charge(500)) == first
    assert await provider.charge(charge(300, request=SECOND)) == first
    assert await provider.pay_back(pay_back(300, 1)) == first
    assert await provider.do(sums) == Sums(500, 0, 1)


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
    assert [read(octets).amount for octets in listed] == [500, -200, 500]


async def test_what_the_card_does_not_cover_is_refused_and_the_number_is_free(provider: EmulatedProvider) -> None:
    await provider.charge(charge(500))
    with pytest.raises(PaymentRefusedError, match="does not cover"):
        await provider.charge(charge(501, 2))
    assert read(await provider.charge(charge(500, 2))).amount == 500
    await provider.do(partial(set_balance, account=ANNA, balance=1))
    assert read(await provider.charge(charge(1, 3))).amount == 1


async def test_limits_of_the_provider_are_refused(provider: EmulatedProvider) -> None:
    with pytest.raises(PaymentRefusedError, match="more than 600"):
        await provider.charge(charge(601))
    await provider.charge(charge(100))
    with pytest.raises(PaymentRefusedError, match="more would go back"):
        await provider.pay_back(pay_back(101, 2))


async def test_a_refused_account_is_refused_until_it_is_not(provider: EmulatedProvider) -> None:
    await provider.do(partial(refuse, account=ANNA, terms=TERMS, is_refused=True))
    with pytest.raises(PaymentRefusedError, match="refused"):
        await provider.charge(charge(1))
    assert read(await provider.charge(charge(1, account=BERT))).amount == 1
    await provider.do(partial(refuse, account=ANNA, terms=TERMS, is_refused=False))
    assert read(await provider.charge(charge(1, 2))).amount == 1


async def test_of_many_that_pay_at_a_time_each_is_paid_once(provider: EmulatedProvider) -> None:
    asked = [charge(10, number, request=request) for number in range(1, 21) for request in (FIRST, SECOND)]
    paid = await asyncio.gather(*map(provider.charge, asked))
    assert len(set(paid)) == 20
    assert await provider.do(sums) == Sums(200, 0, 20)


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
        connection.execute("PRAGMA user_version = 3")
    connection.close()
    with pytest.raises(OperatorError, match="is of version 3, and this program of 2") as caught:
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
    table = payment_table(provider, Signers(centre.directory(), me.me.trust, Kind.TRANSACTION))
    async with await serve(f"unix:{tmp_path}/payment-1", me.me, table) as server:
        centre.enter(me, server.address)
        link = Link(asker.me, centre.directory(), "payment-1")
        assert read((await link.ask(charge(500))).receipt).amount == 500
        with pytest.raises(BusRefusedError, match="payment-refused"):
            await link.ask(charge(600, 2))
        # No transaction box said that a meter gave it up.
        with pytest.raises(BusRefusedError, match="tampering"):
            await link.ask(pay_back(100, 2))
        for asked in (
            charge(0), charge(-1), charge(1 << 60), charge(1, 0), replace(charge(1), account=b""),
            replace(charge(1), request=b""), replace(charge(1), request_id=b""),
            replace(charge(1), serial="no serial!"),
        ):  # fmt: skip
            with pytest.raises(BusRefusedError, match="malformed"):
                await link.ask(asked)
        link.close()
        other = Link(stranger.me, centre.directory(), "payment-1")
        with pytest.raises(AwayError):
            await other.ask(charge(500))
        other.close()


async def test_an_operator_sets_cards_while_the_provider_runs(tmp_path: Path, provider: EmulatedProvider) -> None:
    ledger = open_ledger(tmp_path / "payments.db")
    with ledger.write() as session:
        set_balance(session.connection(), ANNA, 5)
    with pytest.raises(PaymentRefusedError, match="does not cover"):
        await provider.charge(charge(6))
    await provider.charge(charge(5))
    with ledger.read() as session:
        assert sums(session.connection()) == Sums(5, 0, 1)
    ledger.close()
