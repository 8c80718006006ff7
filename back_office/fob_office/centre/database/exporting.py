"""The log in a file for `fob-log-verify`, as whoever asks a database server writes it (docs/meter-protocol.md, 7)."""

from collections.abc import Awaitable, Callable

from fob_office.centre.commands.database import FetchLog, LogPage
from fob_protocol.metering.log.export import ExportHead
from fob_protocol.metering.parts import END, part


async def export_log(
    ask: Callable[[FetchLog], Awaitable[LogPage]], head: ExportHead, write: Callable[[bytes], object]
) -> int:
    """Page by page, as it stands there; how many entries. Raises what `ask` and `write` raise."""
    write(part(head.octets()))
    count = 0
    while entries := (await ask(FetchLog(count))).entries:
        write(b"".join(map(part, entries)))
        count += len(entries)
    write(END)
    return count
