"""The device and a data centre of which every process is real: what each takes from the other's specification."""

from dataclasses import replace
from pathlib import Path

import pytest

from fob_device.metering.clock import named_by_clock
from fob_device.metering.wanted import WantedRefund
from fob_protocol.metering.faults import MeterError, MeterFault
from fob_protocol.metering.kinds import Deed
from fob_protocol.metering.transaction import unverified_transaction
from fob_protocol.office.errors import Fault, OfficeError, RefusedError
from fob_protocol.office.refusals import Refusal
from fob_protocol.pkcs11.errors import CkrError
from support.centre_bench import benched
from support.device_bench import MASTER
from support.meter_bench import ORDER, OTHER, WISH, letter
from support.metering_office import PASSWORD

# Begun before others: programs, or a whole data centre.
pytestmark = pytest.mark.slow

HOUR = 3600


@pytest.mark.clause("M14", "M17", "M19", "M29", "M30", "X5", "X6")
async def test_a_mailer_s_day(tmp_path: Path) -> None:
    async with benched(tmp_path, fee=500) as (bench, _):
        await bench.join(WISH)
        assert bench.costs == ["EUR 5.00"]
        await bench.load(5000, order=OTHER)
        bench.meter.taken(OTHER)
        first = await bench.frank(letter(), letter(21, "20457"))
        record = unverified_transaction(first.transaction)
        assert (record.deed, record.amount, len(record.indicia)) == (Deed.FRANK, 205, 2)
        assert record.integrity == bench.standings.integrity_value("postage-rates")
        assert await bench.frank(letter(), letter(21, "20457")) == first
        bench.meter.taken(ORDER)
        refund = WantedRefund(b"the third order!", None, record.indicia[0])
        assert (await bench.meter.order(refund, bench.unlock, bench.approve)).registers.descending == 5000 - 110
        bench.meter.taken(refund.order)
        await bench.meter.about(bench.unlock)
        assert bench.mailer.is_followed
        history = await bench.meter.history(0, bench.unlock)
        did = [(record.deed, record.fee) for record in map(unverified_transaction, history)]
        assert did == [(Deed.CREATE, 0), (Deed.LOAD, 500), (Deed.FRANK, 0), (Deed.CREDIT, 0)]
        await bench.join(None)
        await bench.frank(order=b"the fourth order")
        assert bench.mailer.fault == ""


@pytest.mark.clause("M17")
async def test_nobody_is_asked_about_a_letter_from_where_the_mailer_does_not_post(tmp_path: Path) -> None:
    async with benched(tmp_path) as (bench, _):
        await bench.join(WISH)
        await bench.load(5000, order=OTHER)
        bench.meter.taken(OTHER)
        bench.plans.clear()
        with pytest.raises(RefusedError) as refused:
            await bench.frank(replace(letter(), origin="99999"))
        assert refused.value.refusal is Refusal.WRONG_ORIGIN
        assert (bench.plans, bench.meter.joiner.store.order()) == ([], None)
        await bench.frank(replace(letter(), origin="20095"))
        assert len(bench.plans) == 1


@pytest.mark.clause("M24")
async def test_nobody_franks_with_money_that_is_not_there(tmp_path: Path) -> None:
    async with benched(tmp_path) as (bench, _):
        with pytest.raises(MeterError) as missing:
            await bench.frank()
        assert missing.value.fault is MeterFault.NO_ACCOUNT
        await bench.join(WISH)
        with pytest.raises(RefusedError) as refused:
            await bench.frank()
        assert refused.value.refusal is Refusal.INSUFFICIENT_FUNDS
        assert bench.meter.joiner.store.order() is None


@pytest.mark.clause("M19")
async def test_a_device_whose_clock_is_ahead_asks_by_the_office_s(tmp_path: Path) -> None:
    async with benched(tmp_path) as (bench, _):
        bench.behind = -2 * HOUR
        await bench.join(WISH)
        await bench.load(5000, order=OTHER)
        bench.meter.taken(OTHER)
        await bench.frank()
        await bench.meter.about(bench.unlock)
        assert bench.meter.joiner.talker.ahead == 2 * HOUR


@pytest.mark.clause("M19")
async def test_what_a_clock_makes_over_stays_over_and_is_named_the_clock_s(tmp_path: Path) -> None:
    async with benched(tmp_path) as (bench, _):
        await bench.join(WISH)
        bench.behind = -400 * 24 * HOUR
        with pytest.raises(CkrError) as over, named_by_clock(bench.meter.joiner.talker):
            await bench.meter.about(bench.unlock)
        assert over.value.reason == f"clock-ahead: {400 * 24 * HOUR} list-expired"
        # Of the office's own list that is over the clock is no part.
        bench.behind = 0
        with pytest.raises(CkrError) as over, named_by_clock(bench.meter.joiner.talker):
            raise OfficeError(Fault.LIST_EXPIRED, "its end has come")
        assert over.value.reason == "list-expired"


@pytest.mark.clause("M23")
async def test_a_second_mailer_s_meter_is_known_as_the_first_one_s_was(tmp_path: Path) -> None:
    async with benched(tmp_path) as (bench, _):
        await bench.join(WISH)
        first = bench.mailer

        async def typed(cost: str) -> str:
            return PASSWORD

        await bench.meter.join("bob", WISH, typed, MASTER)
        assert bench.mailer.serial != first.serial
        assert (bench.mailer.state, bench.mailer.payment) == (first.state, first.payment)
        assert bench.mailer.state is not None
