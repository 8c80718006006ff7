"""Public keys of meters leave the data centre, for whoever verifies tokens elsewhere (M15, M16)."""

from typing import BinaryIO

from fob_office.centre.bus.errors import BusRefusedError
from fob_office.centre.bus.passes import Kind
from fob_office.centre.commands.meter import Certify
from fob_office.centre.operating.operator import Operator
from fob_office.centre.operating.walking import each_meter
from fob_office.centre.words import Word
from fob_protocol.metering.parts import END, part
from fob_protocol.metering.verification import KeysHead


async def export_keys(operator: Operator, file: BinaryIO) -> int:
    """Of all meters whose tokens are signatures, into an open file; how many.

    Raises BusRefusedError, DirectoryError, OSError.
    """
    passes = tuple(entry.shown for entry in operator.links.directory.of_kind(Kind.METER))
    file.write(part(KeysHead(operator.manufacturing, passes).octets()))
    count = 0
    async for _, record in each_meter(operator):
        certificate = await _certificate(operator, record)
        if certificate is not None:
            file.write(part(certificate))
            count += 1
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
