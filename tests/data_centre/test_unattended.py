"""What function servers do by themselves: what is wrong with one meter is said, and holds up nobody else (M29, M33)."""

from typing import Any

import pytest
from structlog.testing import capture_logs

from fob_office.centre.bus.passes import Kind
from fob_office.centre.commands.payment import FetchOpen
from fob_office.centre.function.server import FunctionServer
from fob_protocol.metering.records import Refill
from fob_protocol.office.errors import RefusedError
from support.data_centre import DataCentre, WatchedPeers
from support.mailers import Mailer
from support.payments import payments_of

# Begun before others: programs, or a whole data centre.
pytestmark = pytest.mark.slow


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
