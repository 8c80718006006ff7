"""A data centre's database is backed up while it runs, and put back; boxes then say how their meters stand."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator, Sequence
from pathlib import Path

import pytest

from fob_office.centre.boxes.folder import HARDWARE_KEY
from fob_office.centre.communication.asking import CentreAsker
from fob_office.centre.places import has_centre
from fob_office.cli.context import Cli
from fob_office.cli.main import run
from support.office_process import fob_office
from support.running_centre import DistantMailer, RunningCentre, running_centre

# Begun before others: programs, or a whole data centre.
pytestmark = pytest.mark.slow

SMALL = ("--authentication-boxes", "1", "--transaction-boxes", "1", "--function-servers", "1")


@pytest.fixture
def centre(tmp_path: Path) -> Iterator[RunningCentre]:
    with running_centre(tmp_path / "o", *SMALL) as made:
        yield made


def do(centre: RunningCentre, mailers: Sequence[DistantMailer], *deeds: Callable[[], Awaitable[object]]) -> None:
    """What mailers do, one after another, on connections of its own."""

    async def work() -> None:
        asker = CentreAsker(centre.folder)
        try:
            for mailer in mailers:
                mailer.asker = asker
            for deed in deeds:
                await deed()
        finally:
            asker.close()

    asyncio.run(work())


def refused(capsys: pytest.CaptureFixture[str], centre: RunningCentre, backup: Path) -> list[str]:
    assert run(["centre", "restore", "--state", str(centre.state), str(backup)], Cli()) == 1
    return capsys.readouterr().err.splitlines()


@pytest.mark.clause("M22", "M33")
def test_no_cent_is_lost_when_the_database_is_put_back(
    centre: RunningCentre, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    backup = tmp_path / "backup"
    mailers = [
        DistantMailer(centre, CentreAsker(centre.folder), name, seed) for seed, name in enumerate(("anna", "bert"))
    ]
    anna, bert = mailers
    do(centre, mailers, anna.sign_up, bert.sign_up, lambda: anna.load(1_000), lambda: bert.load(500))
    fob_office(centre.state, "backup", str(backup))
    # No key of a box, and nothing that others could read.
    assert not list(backup.rglob(HARDWARE_KEY))
    assert {path.stat().st_mode & 0o077 for path in (backup, *backup.rglob("*"))} == {0}
    assert not has_centre(backup)
    do(centre, mailers, lambda: anna.frank(85), lambda: anna.load(100))
    assert "runs already" in refused(capsys, centre, backup)[0]
    centre.stop()
    assert "is no backup of a data centre" in refused(capsys, centre, tmp_path)[1]
    (centre.folder / "view").unlink()
    fob_office(centre.state, "centre", "restore", str(backup))
    assert (centre.folder / "view").read_bytes() == (backup / "centre.backup" / "view").read_bytes()
    # What was there before may be looked at.
    assert (centre.folder / "database-1" / "meters.db.replaced").exists()
    centre.start()
    shown = {one["serial"]: one for one in json.loads(centre.tell("meter", "list", "--json"))}
    assert shown[anna.serial]["ascending"] == 0
    assert "tampering" in json.loads(centre.tell("meter", "show", anna.serial, "--json"))["checked"]
    centre.tell("meter", "recover", "--all")
    after = {one["serial"]: one for one in json.loads(centre.tell("meter", "list", "--json"))}
    assert (after[anna.serial]["ascending"], after[anna.serial]["descending"]) == (85, 1_015)
    assert after[bert.serial] == shown[bert.serial]
    do(centre, mailers, lambda: anna.frank(15))
    assert json.loads(centre.tell("meter", "show", anna.serial, "--json"))["ascending"] == 100
