"""A data centre's database is backed up while it runs, and put back; boxes then say how their meters stand."""

import asyncio
import json
import sqlite3
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from fob_office.centre.boxes.folder import HARDWARE_KEY
from fob_office.centre.communication.asking import CentreAsker
from fob_office.centre.places import has_centre
from fob_office.cli.context import Cli
from fob_office.cli.main import run
from fob_protocol.metering.answers import SignedUp
from fob_protocol.office.errors import RefusedError
from fob_protocol.office.refusals import Refusal
from support.office_process import fob_office
from support.running_centre import DistantMailer, RunningCentre, running_centre, until

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


async def sign_on(mailer: DistantMailer) -> None:
    mailer.keep(await mailer.say(mailer.sign_on_request(), SignedUp))


async def is_not_let_in(mailer: DistantMailer) -> None:
    with pytest.raises(RefusedError) as error:
        await mailer.frank(1)
    assert error.value.refusal == Refusal.NOT_AUTHENTICATED


def value(centre: RunningCentre, statement: str) -> Any:
    """Of the meters' database."""
    with closing(sqlite3.connect(centre.folder / "database-1" / "meters.db")) as connection:
        return connection.execute(statement).fetchone()[0]


def is_signed(centre: RunningCentre) -> bool:
    """Whether there is a checkpoint of the whole log."""
    return bool(value(centre, "SELECT size = (SELECT max(size) FROM checkpoints) FROM log_heads"))


def told(capsys: pytest.CaptureFixture[str], centre: RunningCentre, *arguments: str) -> list[str]:
    """What a command tells people."""
    assert run(["centre", *arguments, "--state", str(centre.state)], Cli()) == 0
    return capsys.readouterr().err.splitlines()


def refused(capsys: pytest.CaptureFixture[str], centre: RunningCentre, *arguments: str) -> list[str]:
    """Three lines."""
    assert run(["centre", *arguments, "--state", str(centre.state)], Cli()) == 1
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
    # Bert's phone was lost, and replaced.
    phone = DistantMailer(centre, CentreAsker(centre.folder), "bert", 2)
    do(centre, [phone], lambda: sign_on(phone), phone.about)
    until(lambda: is_signed(centre))
    signed = value(centre, "SELECT size FROM log_heads")
    told(capsys, centre, "log", "checkpoint", str(tmp_path / "kept"))
    kept = (tmp_path / "kept").read_bytes()
    assert "runs already" in refused(capsys, centre, "restore", str(backup))[0]
    centre.stop()
    assert "is no backup of a data centre" in refused(capsys, centre, "restore", str(tmp_path))[1]
    (centre.folder / "view").unlink()
    fob_office(centre.state, "centre", "restore", str(backup))
    assert (centre.folder / "view").read_bytes() == (backup / "centre.backup" / "view").read_bytes()
    # What was there before may be looked at.
    assert (centre.folder / "database-1" / "meters.db.replaced").exists()
    centre.start()
    shown = {one["serial"]: one for one in json.loads(centre.tell("meter", "list", "--json"))}
    assert shown[anna.serial]["ascending"] == 0
    assert "tampering" in json.loads(centre.tell("meter", "show", anna.serial, "--json"))["checked"]
    assert told(capsys, centre, "meter", "recover", "--all") == [
        f"meter {bert.serial}: its mailer has to sign on again    (fob meter sign-on NAME)",
        "recovered 1 meters; 1 were as their boxes know them",
    ]
    after = {one["serial"]: one for one in json.loads(centre.tell("meter", "list", "--json"))}
    assert (after[anna.serial]["ascending"], after[anna.serial]["descending"]) == (85, 1_015)
    assert after[bert.serial] == shown[bert.serial]
    do(centre, mailers, lambda: anna.frank(15))
    assert json.loads(centre.tell("meter", "show", anna.serial, "--json"))["ascending"] == 100
    do(
        centre, [bert, phone],
        lambda: is_not_let_in(bert), lambda: is_not_let_in(phone), lambda: sign_on(phone), lambda: phone.frank(15),
    )  # fmt: skip
    # The log is another one than the box signed, and a witness keeps what shows it.
    assert run(["centre", "log", "checkpoint", "--state", str(centre.state), str(tmp_path / "kept")], Cli()) == 1
    assert capsys.readouterr().err.splitlines()[0] == "error: no checkpoint was written"
    assert (tmp_path / "kept").read_bytes() == kept
    until(lambda: bool(value(centre, "SELECT count(*) FROM warnings WHERE why LIKE 'transaction-1 signs no%'")))
    assert told(capsys, centre, "log", "recover", "transaction-1") == [
        f"transaction-1 signs this log from now on; the last that it signed had {signed} entries"
    ]
    until(lambda: is_signed(centre))
    # Once: it goes on, and no order of that kind is true any more.
    _, why, command = refused(capsys, centre, "log", "recover", "transaction-1")
    assert why.endswith(" entries, and the log begins with just these: nothing is to be recovered")
    assert command == "try:   fob-office centre warnings    (they name the boxes that wait)"
    # All is well: nobody is let out by doing it again.
    assert told(capsys, centre, "meter", "recover", "--all") == ["recovered 0 meters; 2 were as their boxes know them"]
