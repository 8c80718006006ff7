"""The device and a data centre of which every process is real: what each takes from the other's specification."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from fob_device.metering.wanted import WantedRefund
from fob_device.office.progress import Told
from fob_office.centre.bus.passes import Kind, Pass
from fob_office.centre.commands.function import Answer
from fob_protocol.metering.faults import MeterError, MeterFault
from fob_protocol.metering.kinds import Deed
from fob_protocol.metering.transaction import unverified_transaction
from fob_protocol.office.certificate import Certificate, Usage
from fob_protocol.office.envelope import Service
from fob_protocol.office.errors import RefusedError
from fob_protocol.office.refusals import Refusal
from support.data_centre import VALIDATION, DataCentre, data_centre
from support.meter_bench import ORDER, OTHER, WISH, MeterBench, letter
from support.metering_office import MeteringOffice
from support.office_signers import DAY, NOW, Server, public

_COMMUNICATION = Pass(Kind.COMMUNICATION, "communication-1", bytes(32), bytes(32), None, 1, 1 << 40)


def office_of(centre: DataCentre) -> MeteringOffice:
    """Its directory tells of that data centre, and its validation server is the one that is trusted there."""
    office = MeteringOffice()
    issuer, spare = office.signers.issuer, office.meters
    meters = centre.certificate
    office.meters = Server(spare.signing_key, spare.sealing_key, meters, meters.signed(issuer))
    keys = centre.boxes.manufacturing_key
    boxes = Certificate("boxes", "Boxes", (Usage.BOXES,), keys, public(spare.sealing_key), 1, NOW - DAY, NOW + DAY)
    office.boxes = Server(spare.signing_key, spare.sealing_key, boxes, boxes.signed(issuer))
    assert office.integrity is not None
    validation = office.integrity.validation
    shown = replace(validation.certificate, signing_key=public(VALIDATION))
    office.integrity.validation = Server(VALIDATION, validation.sealing_key, shown, shown.signed(issuer))
    return office


@asynccontextmanager
async def benched(folder: Path) -> AsyncIterator[MeterBench]:
    (folder / "centre").mkdir()
    (folder / "device").mkdir()
    async with data_centre(folder / "centre") as centre, centre.function_server() as (server, _):
        bench = MeterBench(folder / "device", office_of(centre))
        bench.switch_on()
        carry = bench.post.carry

        async def carry_on(service: str, question: bytes, told: Told) -> bytes:
            if service != Service.METERING:
                return await carry(service, question, told)
            answered: Any = await server.answer(_COMMUNICATION, Answer(question))
            sealed: bytes = answered.sealed
            return sealed

        bench.post.carry = carry_on  # type: ignore[method-assign]
        try:
            await bench.validated()
            yield bench
        finally:
            await bench.switch_off()


@pytest.mark.clause("M14", "M17", "M19", "M29", "M30", "X5", "X6")
async def test_a_mailer_s_day(tmp_path: Path) -> None:
    async with benched(tmp_path) as bench:
        await bench.join(WISH)
        await bench.load(5000, order=OTHER)
        bench.meter.taken(OTHER)
        first = await bench.frank(letter(), letter(21, "20457"))
        record = unverified_transaction(first.transaction)
        assert (record.deed, record.amount, len(record.indicia)) == (Deed.FRANK, 205, 2)
        assert record.integrity == bench.standings.integrity_value("postage-rates")
        assert await bench.frank(letter(), letter(21, "20457")) == first
        bench.meter.taken(ORDER)
        refund = WantedRefund(OTHER, None, record.indicia[0])
        assert (await bench.meter.order(refund, bench.unlock, bench.approve)).registers.descending == 5000 - 110
        bench.meter.taken(OTHER)
        await bench.meter.about(bench.unlock)
        assert bench.mailer.is_followed
        history = await bench.meter.history(0, bench.unlock)
        deeds = [unverified_transaction(octets).deed for octets in history]
        assert deeds == [Deed.CREATE, Deed.LOAD, Deed.FRANK, Deed.CREDIT]
        await bench.join(None)
        await bench.frank()
        assert bench.mailer.fault == ""


@pytest.mark.clause("M24")
async def test_nobody_franks_with_money_that_is_not_there(tmp_path: Path) -> None:
    async with benched(tmp_path) as bench:
        with pytest.raises(MeterError) as missing:
            await bench.frank()
        assert missing.value.fault is MeterFault.NO_ACCOUNT
        await bench.join(WISH)
        with pytest.raises(RefusedError) as refused:
            await bench.frank()
        assert refused.value.refusal is Refusal.INSUFFICIENT_FUNDS
        assert bench.meter.joiner.store.order() is None
