"""Letters whose transactions went with a database that was put back: good once at the post, and not given back."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from fob_office.centre.commands.function import Recover
from fob_office.centre.postal.verifying import Outcome
from fob_protocol.metering.values import Indicated
from fob_protocol.office.errors import RefusedError
from support.octets import flipped
from support.post import PostOffice, post_office

# Begun before others: a whole data centre.
pytestmark = pytest.mark.slow

ANY: Any = None
LOST = "its meter made it; where it was seen before the data centre was put back, nobody knows"


async def put_back(office: PostOffice, backup: Path) -> None:
    """The database is as it was, and what the meter box knows is brought in."""
    folder = office.centre.folder / "database-1"
    await office.centre.stop("database-1")
    shutil.rmtree(folder)
    shutil.copytree(backup, folder)
    await office.centre.start("database-1")
    await office.mailer.server.recover(ANY, Recover(office.mailer.serial))


async def refused(office: PostOffice, unused: Indicated) -> str:
    with pytest.raises(RefusedError, match="no-refund") as error:
        await office.mailer.refund(unused=unused)
    return error.value.said


@pytest.mark.clause("M26", "M27", "M29")
async def test_what_was_paid_is_good_once_and_what_the_post_may_have_seen_is_not_given_back(tmp_path: Path) -> None:
    async with post_office(tmp_path / "o") as office:
        before = await office.franked(85)
        await office.centre.stop("database-1")
        shutil.copytree(office.centre.folder / "database-1", tmp_path / "backup")
        await office.centre.start("database-1")
        lost = [*await office.franked(100), *await office.franked(70, 60)]
        last = await office.franked(95)
        await put_back(office, tmp_path / "backup")

        for piece, indicated in enumerate(lost):
            # As Mailer.frank addresses the pieces of a batch.
            verdict = await office.judged(indicated)
            assert (verdict.outcome, verdict.why) == (Outcome.GENUINE, LOST), piece
            assert (await office.judged(indicated)).outcome == Outcome.REUSED
        assert [(await office.judged(one)).outcome for one in (*before, *last)] == [Outcome.GENUINE] * 2
        forged = Indicated(lost[0].indicium, flipped(lost[0].token))
        assert (await office.judged(forged)).outcome == Outcome.FORGED

        assert await refused(office, lost[1]) == "no transaction that is kept made it; it can be used"
        assert (await office.mailer.about()).registers.descending == 10_000 - 85 - 100 - 130 - 95


@pytest.mark.clause("M26", "M29")
async def test_a_right_token_without_a_note_of_a_gap_is_a_forgery(tmp_path: Path) -> None:
    async with post_office(tmp_path / "o") as office:
        (made,) = await office.franked(85)
        await office.franked(100)
        office.centre.rows("DELETE FROM transactions WHERE serial = ? AND counter = 3", office.mailer.serial)
        assert (await office.judged(made)).outcome == Outcome.FORGED
        assert await refused(office, made) == "no transaction that is kept made it; it can be used"


@pytest.mark.clause("M26")
async def test_a_piece_that_is_not_lost_yet_is_no_genuine_one(tmp_path: Path) -> None:
    """Before the operator has brought the meter up to date nothing says that there is a gap."""
    async with post_office(tmp_path / "o") as office:
        await office.centre.stop("database-1")
        shutil.copytree(office.centre.folder / "database-1", tmp_path / "backup")
        await office.centre.start("database-1")
        (made,) = await office.franked(85)
        await office.franked(100)
        await office.centre.stop("database-1")
        shutil.rmtree(office.centre.folder / "database-1")
        shutil.copytree(tmp_path / "backup", office.centre.folder / "database-1")
        await office.centre.start("database-1")
        assert (await office.judged(made)).outcome == Outcome.FORGED
        await office.mailer.server.recover(ANY, Recover(office.mailer.serial))
        assert (await office.judged(made)).outcome == Outcome.GENUINE
