"""All meters, page by page, as they stand in the database."""

from collections.abc import AsyncIterator

from fob_office.centre.bus.passes import Kind
from fob_office.centre.commands.database import FetchMeters
from fob_office.centre.operating.recovering import Asking
from fob_office.centre.rising import check_rising
from fob_office.paging import PAGE


async def each_meter(operator: Asking, after: str = "", at_once: int = PAGE) -> AsyncIterator[tuple[str, bytes]]:
    """Serial and record of each above a serial: that of its row, whatever its staff wrote into the record.

    Raises BusRefusedError; MALFORMED for a page that does not go up.
    """
    while page := (await operator.any(Kind.DATABASE, FetchMeters(after, at_once))).meters:
        check_rising("meters of the database", after, (serial for serial, _ in page))
        for one in page:
            yield one
        after = page[-1][0]
