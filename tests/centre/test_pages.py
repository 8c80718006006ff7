"""Pages that go up, whatever staff write into the tables, and whoever answers (M23)."""

from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from fob_office.centre.bus.commands import Command
from fob_office.centre.bus.errors import BusRefusedError
from fob_office.centre.bus.passes import Kind
from fob_office.centre.commands.database import FetchMeters, Meters
from fob_office.centre.database.limits import SERIAL_LIMIT
from fob_office.centre.operating.walking import each_meter
from fob_office.centre.rising import check_rising
from support.centre_database import MeterBase, meter_base, meter_record, peer, sign_up

SERIALS = ("FM-1", "FM-2", "FM-3")


class Answering:
    """Asked for meters: a database server, or somebody in its place."""

    def __init__(self, base: MeterBase | None = None, pages: Sequence[Meters] = ()) -> None:
        self._base = base
        self._pages = list(pages)

    async def any(self, kind: Kind, command: Command[Any]) -> Any:
        assert isinstance(command, FetchMeters)
        if self._base is not None:
            return await self._base.server.fetch_meters(peer(Kind.OPERATOR), command)
        return self._pages.pop(0)

    async def one(self, name: str, command: Command[Any]) -> Any:
        raise NotImplementedError


@pytest.fixture
def base(meters_url: str) -> Iterator[MeterBase]:
    with meter_base(meters_url) as made:
        yield made


async def walked(answering: Answering, at_once: int, most: int = 9) -> list[tuple[str, bytes]]:
    """As many as there are, and no more than a walk that does not end would have."""
    found = []
    async for one in each_meter(answering, at_once=at_once):
        found.append(one)
        if len(found) == most:
            break
    return found


@pytest.mark.clause("M23")
@pytest.mark.parametrize("at_once", [1, 2, 5])
async def test_a_record_in_a_higher_row_sends_nobody_back(base: MeterBase, at_once: int) -> None:
    for serial in SERIALS:
        await base.store(sign_up(serial, serial))
    base.run("UPDATE meters SET record = (SELECT record FROM meters WHERE serial = 'FM-1') WHERE serial = 'FM-3'")
    one = meter_record("FM-1", 1)
    assert await walked(Answering(base), at_once) == [("FM-1", one), ("FM-2", meter_record("FM-2", 1)), ("FM-3", one)]


@pytest.mark.clause("M23")
async def test_what_is_no_serial_is_said_to_be_none(base: MeterBase) -> None:
    await base.store(sign_up("FM-1", "FM-1"))
    base.run("UPDATE meters SET serial = :serial", serial="F" * (SERIAL_LIMIT + 1))
    with pytest.raises(BusRefusedError, match=f"damaged: somebody wrote a serial number of {SERIAL_LIMIT + 1} char"):
        await walked(Answering(base), 5)


@pytest.mark.parametrize("serials", [("FM-2", "FM-2"), ("FM-3", "FM-2"), ("FM-1", "FM-2")])
async def test_a_page_of_meters_that_does_not_go_up_is_refused(serials: tuple[str, str]) -> None:
    pages = [Meters((("FM-1", b""),)), Meters(tuple((serial, b"") for serial in serials))]
    with pytest.raises(BusRefusedError, match="malformed: meters of the database did not come in the order"):
        await walked(Answering(pages=pages), 5)


def test_keys_rise_where_they_can_be_compared() -> None:
    check_rising("rows", None, [("a", 2), ("b", 1), ("b", 2)])
    check_rising("rows", b"", [b"\0", b"\1"])
    for after, keys in (((1,), [(1,)]), (b"", [b""]), ((1,), [("a",)]), ((1,), [(None,)]), (None, [(2,), (1,)])):
        with pytest.raises(BusRefusedError, match="malformed: rows"):
            check_rising("rows", after, keys)
