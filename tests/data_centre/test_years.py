"""A data centre that runs for years, and is never started anew: passes end, and nobody who uses it hears of that."""

from pathlib import Path

import pytest

from fob_office.centre.limits import PASS_TIME
from fob_protocol.office.errors import RefusedError
from support.audits import audited
from support.data_centre import data_centre
from support.mailers import Mailer

DAY = 86_400


@pytest.mark.clause("M33", "M34")
async def test_nothing_is_refused_for_five_years_and_nothing_starts_anew(tmp_path: Path) -> None:
    async with data_centre(tmp_path) as centre, centre.function_server() as (server, peers):
        mailer = Mailer(centre, server, "anna")
        await mailer.sign_up()
        await mailer.load(1_000)
        asked = []
        for _ in range(5 * 12):
            centre.boxes.now += 30 * DAY
            await centre.renew_passes()
            before = len(peers.asked)
            await mailer.frank(10)
            asked.append(len(peers.asked) - before)
        # Not even once more than on the first day.
        assert set(asked) == {asked[0]}
        registers = (await mailer.about()).registers
        assert (registers.ascending, registers.descending, registers.is_lawful) == (600, 400, True)
        found = await audited(centre)
        assert (found.findings.shown, found.is_compared) == ([], True)
        assert await centre.warnings() == []


async def test_without_renewal_it_ends_after_a_year(tmp_path: Path) -> None:
    async with data_centre(tmp_path) as centre, centre.function_server() as (server, _):
        mailer = Mailer(centre, server, "anna")
        await mailer.sign_up()
        await mailer.load(1_000)
        centre.boxes.now += PASS_TIME + 1
        for _ in range(2):
            with pytest.raises(RefusedError, match="unavailable"):
                await mailer.frank(10)
        # Too late: nobody lets the supervisor in either. A start of the data centre renews them.
        await centre.renew_passes()
        with pytest.raises(RefusedError, match="unavailable"):
            await mailer.frank(10)
