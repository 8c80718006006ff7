"""What a warning says: whoever warns, the command that helps stands whole behind the reason (M20, M22)."""

import pytest

from fob_office.centre.boxes.alarm import Alarm
from fob_office.centre.bus.errors import BusRefusedError
from fob_office.centre.bus.passes import Kind
from fob_office.centre.commands.database import FetchWarnings
from fob_office.centre.limits import WARNING_LIMIT
from fob_office.centre.next_step import shortened, split_next, with_next
from fob_office.centre.supervising.warnings import Warnings
from fob_office.centre.words import Word
from support.centre_database import peer
from support.data_centre import DataCentre

LONG = "a reason " * 100
COMMAND = "fob-office centre box remove meter-1"
REFUSED = BusRefusedError(Word.TAMPERING, with_next(LONG, "box remove meter-1"))


@pytest.mark.parametrize("limit", [45, 46, 100, WARNING_LIMIT])
def test_a_reason_is_cut_and_the_command_behind_it_is_not(limit: int) -> None:
    cut = shortened(REFUSED.why, limit)
    why, command = split_next(cut)
    assert (len(cut), command) == (limit, COMMAND)
    assert LONG.startswith(why)
    assert shortened(cut, limit) == cut


def test_what_is_short_or_names_no_command_is_kept_or_cut() -> None:
    assert shortened(with_next("why", "status"), WARNING_LIMIT) == with_next("why", "status")
    assert shortened(LONG, 20) == LONG[:20]
    # Where there is no room for a reason, as much as there is room for.
    assert shortened(REFUSED.why, 10) == LONG[:10]


async def _warned(centre: DataCentre) -> str:
    ((_, word, _, why, _),) = (await centre.ask("database-1", FetchWarnings(0))).warnings
    assert word == Word.TAMPERING
    return why


def _is_whole(why: str) -> bool:
    return len(why) == WARNING_LIMIT and split_next(why).command == COMMAND


@pytest.mark.clause("M20", "M22")
async def test_a_box_warns_with_the_command_that_helps(centre: DataCentre) -> None:
    box = centre.boxes.open("transaction-1")
    try:
        await Alarm(box.links, box.surroundings).warn(peer(Kind.FUNCTION), REFUSED)
    finally:
        box.links.close()
    assert _is_whole(await _warned(centre))


@pytest.mark.clause("M20", "M22")
async def test_a_function_server_warns_with_the_command_that_helps(centre: DataCentre) -> None:
    async with centre.function_server() as (server, _):
        await server.refunding.changing.warnings.warn("FM01", REFUSED)
    assert _is_whole(await _warned(centre))


@pytest.mark.clause("M20", "M22")
async def test_the_supervisor_warns_until_a_database_server_has_heard_it(centre: DataCentre) -> None:
    box = centre.boxes.open("operator-1")
    warnings = Warnings(box.links, box.surroundings.clock)
    try:
        await centre.stop("database-1")
        warnings.add(LONG, "box remove meter-1")
        await warnings.send()
        await centre.start("database-1")
        for _ in range(2):
            await warnings.send()
    finally:
        box.links.close()
    assert _is_whole(await _warned(centre))
