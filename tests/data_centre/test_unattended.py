"""What function servers do by themselves: what is wrong with one meter is said, and holds up nobody else (M29, M33)."""

import asyncio
import sqlite3
from contextlib import closing
from functools import partial
from typing import Any

import pytest
from structlog.testing import capture_logs

from fob_office.centre.bus.passes import Kind
from fob_office.centre.commands.payment import FetchOpen
from fob_office.centre.database.limits import PAYOUTS_PAGE
from fob_office.centre.function.patience import LONGEST_PAYOUT_PAUSE
from fob_office.centre.function.server import FunctionServer
from fob_office.centre.operating.payouts import payouts_waiting
from fob_office.centre.payment.ledger import Terms, open_ledger, set_card
from fob_office.centre.payment.process import FILE
from fob_protocol.metering.records import Refill
from fob_protocol.office.errors import RefusedError
from support.data_centre import DataCentre, WatchedPeers
from support.mailers import Mailer
from support.payments import payments_of

# Begun before others: programs, or a whole data centre.
pytestmark = pytest.mark.slow

PATIENCE = 10


async def _charged(centre: DataCentre, server: FunctionServer, peers: WatchedPeers) -> list[Mailer]:
    """Two mailers whose money was taken and has not come in, in the order in which it is looked at."""
    mailers = [Mailer(centre, server, name) for name in ("anna", "ben")]
    for mailer in mailers:
        await mailer.sign_up()
        peers.loses = "Charge"
        with pytest.raises(RefusedError):
            await mailer.load(300)
    centre.boxes.now += 30
    return sorted(mailers, key=lambda mailer: mailer.serial)


@pytest.mark.clause("M29", "M33", "M22")
async def test_a_meter_record_that_cannot_be_read_holds_up_nobody_elses_money(centre: DataCentre) -> None:
    async with centre.function_server() as (server, peers):
        first, second = await _charged(centre, server, peers)
        [(record,)] = centre.rows("SELECT record FROM meters WHERE serial = ?", first.serial)
        centre.rows("UPDATE meters SET record = x'00' WHERE serial = ?", first.serial)
        for _ in range(2):
            await server.completing.complete_all()
        assert (await second.about()).registers.descending == 300
        assert await centre.warnings() == [("tampering", first.serial)]
        centre.rows("UPDATE meters SET record = ? WHERE serial = ?", record, first.serial)
        await server.completing.complete_all()
        assert (await first.about()).registers.descending == 300
        assert (await peers.any(Kind.PAYMENT, FetchOpen("", 0))).receipts == ()
        assert [payments_of(centre, one.serial)[0] for one in (first, second)] == [300, 300]


@pytest.mark.clause("M29", "M33")
async def test_a_provider_whose_pages_go_in_a_circle_is_not_asked_for_ever(
    centre: DataCentre, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fob_office.centre.payment.ledger.OPEN_LIMIT", 1)
    async with centre.function_server() as (server, peers):
        first, second = await _charged(centre, server, peers)
        await server.completing.complete_all()
        # A payment that cannot come in; and staff write the receipt of an earlier one into a later row.
        peers.loses = "Charge"
        with pytest.raises(RefusedError):
            await first.load(50)
        centre.boxes.now += 30
        with closing(sqlite3.connect(centre.folder / "payment-1" / FILE)) as book, book:
            (earlier,) = book.execute("SELECT receipt FROM payments WHERE serial = ?", (first.serial,)).fetchone()
            spoilt = "UPDATE payments SET is_open = 1, receipt = ? WHERE serial = ?"
            assert book.execute(spoilt, (earlier, second.serial)).rowcount == 1
        centre.rows("UPDATE meters SET record = x'00' WHERE serial = ?", first.serial)
        for _ in range(2):
            asked = len(peers.asked)
            async with asyncio.timeout(PATIENCE):
                await server.completing.complete_all()
            assert peers.asked[asked:].count("FetchOpen") == 2
        assert (await centre.warnings()).count(("tampering", "")) == 1


@pytest.mark.clause("M29")
async def test_a_refill_that_fails_is_heard_of(centre: DataCentre, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(*_: Any) -> None:
        raise ValueError("what stands in a database")

    async with centre.function_server() as (server, _):
        anna = Mailer(centre, server)
        await anna.sign_up(refill=Refill(below=100, amount=500))
        await anna.load(100)
        monkeypatch.setattr("fob_office.centre.function.paying.Paying.refill", fail)
        with capture_logs() as lines:
            await anna.frank(85)
            await server.close()
        [line] = [line for line in lines if line["log_level"] == "error"]
        assert (line["event"], line["serial"], line["error"]) == ("a refill failed", anna.serial, "ValueError")


@pytest.mark.clause("M22", "M29")
async def test_a_refill_warns_of_a_record_that_cannot_be_read(centre: DataCentre) -> None:
    async with centre.function_server() as (server, peers):
        anna = Mailer(centre, server)
        await anna.sign_up(refill=Refill(below=100, amount=500))
        await anna.load(100)
        spoiled: list[int] = []

        async def spoil(at: int, answered: bool) -> None:
            if peers.asked[at] == "Store" and answered and not spoiled:
                spoiled.append(at)
                centre.rows("UPDATE meters SET record = x'00' WHERE serial = ?", anna.serial)

        peers.meets = spoil
        await anna.frank(85)
        await server.close()
        assert await centre.warnings() == [("tampering", anna.serial)]


def _refuse(centre: DataCentre, mailer: Mailer, *, is_refused: bool) -> None:
    """What the provider says to an account's refunds."""
    ledger = open_ledger(centre.folder / "payment-1" / FILE)
    with ledger.write() as session:
        set_card(session.connection(), mailer.account, Terms(), is_refused=is_refused)
    ledger.close()


@pytest.mark.clause("M29")
async def test_payouts_that_are_refused_hold_up_no_others(centre: DataCentre) -> None:
    async with centre.function_server() as (server, peers):
        eve, anna = Mailer(centre, server, "eve"), Mailer(centre, server)
        for mailer in (eve, anna):
            await mailer.sign_up()
            await mailer.load(1_000)
        _refuse(centre, eve, is_refused=True)
        for _ in range(PAYOUTS_PAGE + 1):
            await eve.refund(1)
        await anna.refund(700)
        peers.asked.clear()
        with capture_logs() as lines:
            await server.refunding._pay_all()
        assert payments_of(centre, anna.serial) == (1_000, 700)
        # Two pages, and the end.
        assert peers.asked.count("FetchPayouts") == 3
        assert [line["event"] for line in lines].count("a payout waits") == PAYOUTS_PAGE + 1
        waiting = await payouts_waiting(partial(centre.ask, "database-1"))
        assert waiting == (PAYOUTS_PAGE + 1, centre.now)


@pytest.mark.clause("M29")
async def test_a_payout_that_is_refused_is_tried_later_and_later_and_said_once(centre: DataCentre) -> None:
    async with centre.function_server() as (server, peers):
        eve = Mailer(centre, server, "eve")
        await eve.sign_up()
        await eve.load(1_000)
        _refuse(centre, eve, is_refused=True)
        await eve.refund(600)
        peers.asked.clear()
        with capture_logs() as lines:
            # Behind 0, 2, 6, 14 and 30 seconds.
            for _ in range(31):
                await server.refunding._pay_all()
                centre.boxes.now += 1
        assert peers.asked.count("PayBack") == 5
        assert [line["event"] for line in lines].count("a payout waits") == 1
        _refuse(centre, eve, is_refused=False)
        centre.boxes.now += LONGEST_PAYOUT_PAUSE
        await server.refunding._pay_all()
        assert payments_of(centre, eve.serial) == (1_000, 600)
        assert await payouts_waiting(partial(centre.ask, "database-1")) == (0, None)


@pytest.mark.clause("M29")
async def test_a_provider_that_was_away_is_asked_again_soon(centre: DataCentre) -> None:
    async with centre.function_server() as (server, _):
        anna = Mailer(centre, server)
        await anna.sign_up()
        await anna.load(1_000)
        await anna.refund(700)
        await centre.stop("payment-1")
        with capture_logs() as lines:
            for _ in range(60):
                await server.refunding._pay_all()
                centre.boxes.now += 60
        assert [line["event"] for line in lines].count("a payout waits") == 1
        await centre.start("payment-1")
        await server.refunding._pay_all()
        assert payments_of(centre, anna.serial) == (1_000, 700)
