"""Public keys of meters leave the data centre, for whoever verifies tokens elsewhere (M15, M16)."""

from typing import BinaryIO

from fob_office.centre.bus.errors import BusRefusedError
from fob_office.centre.bus.passes import Kind
from fob_office.centre.commands.database import FetchMeters
from fob_office.centre.commands.meter import Certify
from fob_office.centre.operating.operator import Operator
from fob_office.centre.words import Word
from fob_office.paging import PAGE
from fob_protocol.cose import mac0
from fob_protocol.metering.parts import END, part
from fob_protocol.metering.records import MeterRecord
from fob_protocol.metering.verification import KeysHead
from fob_protocol.office.message import read


async def export_keys(operator: Operator, file: BinaryIO) -> int:
    """Of all meters whose tokens are signatures, into an open file; how many.

    Raises BusRefusedError, DirectoryError, OSError.
    """
    passes = tuple(entry.shown for entry in operator.links.directory.of_kind(Kind.METER))
    file.write(part(KeysHead(operator.manufacturing, passes).octets()))
    count, after = 0, ""
    while records := (await operator.any(Kind.DATABASE, FetchMeters(after, PAGE))).records:
        for record in records:
            certificate = await _certificate(operator, record)
            if certificate is not None:
                file.write(part(certificate))
                count += 1
        after = read(MeterRecord, mac0.unchecked_payload(records[-1])).serial
    file.write(END)
    return count


async def _certificate(operator: Operator, record: bytes) -> bytes | None:
    """None: its tokens are codes."""
    try:
        return (await operator.any(Kind.METER, Certify(record))).certificate
    except BusRefusedError as refused:
        if refused.word != Word.NO_PUBLIC_KEY:
            raise
    return None
