"""A device on the bench of meters, whose data centre's processes are all real and in this one."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from fob_device.office.progress import Told
from fob_office.centre.commands.function import Answer
from fob_protocol.office.certificate import Certificate, Usage
from fob_protocol.office.envelope import Service
from support.data_centre import VALIDATION, DataCentre, data_centre
from support.mailers import COMMUNICATION
from support.meter_bench import MeterBench
from support.metering_office import MeteringOffice
from support.office_signers import DAY, NOW, Server, public


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
async def benched(folder: Path, fee: int = 0) -> AsyncIterator[tuple[MeterBench, DataCentre]]:
    """The device is validated, and has no meter yet. `fee`: what signing up costs."""
    (folder / "centre").mkdir()
    (folder / "device").mkdir()
    async with AsyncExitStack() as stack:
        centre = await stack.enter_async_context(data_centre(folder / "centre"))
        centre.fee = fee
        server, _ = await stack.enter_async_context(centre.function_server())
        bench = MeterBench(folder / "device", office_of(centre))
        bench.switch_on()
        carry = bench.post.carry

        async def carry_on(service: str, question: bytes, told: Told) -> bytes:
            if service != Service.METERING:
                return await carry(service, question, told)
            answered: Any = await server.answer(COMMUNICATION, Answer(question))
            sealed: bytes = answered.sealed
            return sealed

        bench.post.carry = carry_on  # type: ignore[method-assign]
        try:
            await bench.validated()
            yield bench, centre
        finally:
            await bench.switch_off()
