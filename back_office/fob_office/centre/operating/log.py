"""The log leaves the data centre: an export for `fob-log-verify`, and checkpoints for witnesses."""

from collections.abc import Callable
from typing import BinaryIO

from fob_office.centre.bus.passes import Kind
from fob_office.centre.commands.database import FetchLog, FetchLogState, LogPage
from fob_office.centre.database import exporting
from fob_office.centre.operating.operator import Operator
from fob_protocol.cose import sign1
from fob_protocol.metering.log.checkpoint import Checkpoint, origin_of
from fob_protocol.metering.log.export import ExportHead
from fob_protocol.office.message import read


async def newest_checkpoint(operator: Operator) -> tuple[bytes, Checkpoint] | None:
    """As it was signed, and what it says, unchecked; None: there is none yet. Raises BusRefusedError."""
    signed = (await operator.any(Kind.DATABASE, FetchLogState(0))).checkpoint
    if signed is None:
        return None
    return signed, read(Checkpoint, sign1.unverified_payload(signed))


async def export_log(operator: Operator, file: BinaryIO, told: Callable[[int], None]) -> int:
    """All entries, into an open file; how many. `told` so many more.

    Raises BusRefusedError, DirectoryError, OSError.
    """

    async def ask(asked: FetchLog) -> LogPage:
        page = await operator.any(Kind.DATABASE, asked)
        told(len(page.entries))
        return page

    head = ExportHead(origin_of(operator.manufacturing), log_keys(operator))
    return await exporting.export_log(ask, head, file.write)


def log_keys(operator: Operator) -> tuple[bytes, ...]:
    """Of all transaction boxes that ever signed here, raw. Raises DirectoryError."""
    directory = operator.links.directory
    passes = (directory.pass_of(entry.name) for entry in directory.of_kind(Kind.TRANSACTION))
    now = (shown.signing for shown in passes if shown.signing is not None)
    return (*now, *map(bytes.fromhex, operator.settings.former_log_keys))
