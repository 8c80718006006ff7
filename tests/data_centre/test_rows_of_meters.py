"""A genuine record that staff put into another meter's row: whoever goes through all meters comes to an end (M23)."""

from collections.abc import AsyncIterator
from io import BytesIO
from pathlib import Path

import pytest

from fob_office.centre.operating.keys import export_keys
from fob_office.centre.operating.meters import GENUINE, list_meters, recover_all, show_meter
from fob_office.paging import PAGE
from support.mailers import Mailer
from support.post import PostOffice, post_office

# Begun before others: a whole data centre.
pytestmark = pytest.mark.slow

# Octets that no file of two meters has.
ENOUGH = 50_000


class Bounded(BytesIO):
    """A file that nobody writes to for ever."""

    def write(self, octets: object) -> int:
        """Until there were too many."""
        assert self.tell() < ENOUGH
        return super().write(octets)  # type: ignore[arg-type]


@pytest.fixture
async def spoiled(tmp_path: Path) -> AsyncIterator[tuple[PostOffice, str, str]]:
    """Two meters; the record of the lower one stands in the row of the higher one too."""
    async with post_office(tmp_path / "o", is_public=True) as office:
        other = Mailer(office.centre, office.mailer.server, "bertha")
        await other.sign_up()
        low, high = sorted((office.mailer.serial, other.serial))
        office.centre.rows("UPDATE meters SET record = (SELECT record FROM meters WHERE serial = ?)", low)
        yield office, low, high


@pytest.mark.clause("M23", "M16")
async def test_the_file_of_keys_has_an_end(spoiled: tuple[PostOffice, str, str]) -> None:
    office, _, _ = spoiled
    assert await export_keys(office.operator, Bounded()) == 2


@pytest.mark.clause("M23", "M31")
async def test_all_meters_are_listed_and_recovered_by_their_rows(spoiled: tuple[PostOffice, str, str]) -> None:
    office, low, high = spoiled
    found = await list_meters(office.operator, "", PAGE)
    assert [(serial, record.serial) for serial, record in found] == [(low, low), (high, low)]
    recovery = await recover_all(office.operator)
    # No function server runs here, which would say that the other one is as its box knows it.
    assert (recovery.genuine, [serial for serial, _ in recovery.failed]) == (1, [high])
    assert [(serial, record.serial) for serial, record in await list_meters(office.operator, "", PAGE)] == [
        (low, low), (high, high),
    ]  # fmt: skip


@pytest.mark.clause("M23", "M31")
async def test_a_record_of_another_meter_is_not_genuine_in_its_row(spoiled: tuple[PostOffice, str, str]) -> None:
    office, low, high = spoiled
    assert (await show_meter(office.operator, low)).checked == GENUINE
    assert (await show_meter(office.operator, high)).checked == f"tampering: the record of meter {low}"


@pytest.mark.clause("M23", "M31")
async def test_a_record_that_cannot_be_read_keeps_no_other_meter_from_being_recovered(
    spoiled: tuple[PostOffice, str, str],
) -> None:
    office, low, high = spoiled
    office.centre.rows("UPDATE meters SET record = x'00' WHERE serial = ?", low)
    recovery = await recover_all(office.operator)
    # No function server runs here, by which they would be as their box knows them.
    assert [serial for serial, _ in recovery.failed] == [low, high]
