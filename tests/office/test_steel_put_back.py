"""A steel box whose folder was put back while a data centre stood still: it is named, and none that knows more goes."""

import asyncio
import json
import shutil
from collections.abc import Awaitable, Iterator
from pathlib import Path

import pytest

from fob_office.centre.communication.asking import CentreAsker
from fob_office.cli.context import Cli
from fob_office.cli.main import run
from support.running_centre import DistantMailer, RunningCentre, running_centre, until

# Begun before others: programs, or a whole data centre.
pytestmark = pytest.mark.slow

SMALL = (
    "--steel-boxes", "2", "--meter-boxes", "1", "--authentication-boxes", "1", "--transaction-boxes", "1",
    "--function-servers", "1",
)  # fmt: skip
REMEDY = "fob-office centre box add steel, and fob-office centre box remove steel-1"


@pytest.fixture
def centre(tmp_path: Path) -> Iterator[RunningCentre]:
    with running_centre(tmp_path / "o", *SMALL) as made:
        yield made


def do(mailer: DistantMailer, deed: Awaitable[object]) -> None:
    """On a connection of its own."""

    async def work() -> None:
        await deed
        mailer.asker.close()

    asyncio.run(work())


def signed_up(centre: RunningCentre, number: int) -> str:
    """A mailer more; the serial of the meter."""
    mailer = DistantMailer(centre, CentreAsker(centre.folder), f"mailer {number}", number)
    do(mailer, mailer.sign_up())
    return mailer.serial


def keep(centre: RunningCentre, older: Path) -> None:
    centre.stop()
    shutil.copytree(centre.folder / "steel-1", older)
    centre.start()


def put_back(centre: RunningCentre, older: Path) -> None:
    centre.stop()
    shutil.rmtree(centre.folder / "steel-1")
    shutil.copytree(older, centre.folder / "steel-1")
    centre.start()


def check_named(centre: RunningCentre, capsys: pytest.CaptureFixture[str], how: str) -> None:
    until(lambda: centre.of("steel-1").state == "put-back")
    assert centre.of("steel-2").state == "ready"
    why = f"steel-1 was put back to an older folder ({how}): {REMEDY}"
    assert json.loads(centre.tell("status", "--json"))["put_back"] == [why]
    until(lambda: json.loads(centre.tell("warnings", "--json")) != [])
    (warned,) = json.loads(centre.tell("warnings", "--json"))
    assert warned["why"] == f"steel-1 was put back to an older folder: {how}; next: {REMEDY}"
    capsys.readouterr()
    assert run(["centre", "box", "remove", "steel-2", "--state", str(centre.state)], Cli()) == 1
    assert [line.partition(":")[2].strip() for line in capsys.readouterr().err.splitlines()[-3:]] == [
        "nothing was removed",
        f"steel-1 was put back to an older folder, and would go on alone: {how}",
        "fob-office centre box remove steel-1",
    ]


@pytest.mark.clause("M8", "M22")
def test_one_that_gave_out_serials_that_it_does_not_know(
    centre: RunningCentre, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    keep(centre, tmp_path / "older")
    # They are asked by turns.
    serials = (signed_up(centre, number) for number in range(1, 9))
    serial = next(serial for serial in serials if serial.startswith("FM01"))
    put_back(centre, tmp_path / "older")
    check_named(centre, capsys, f"there is meter {serial}, and steel-1 gave out 0")

    centre.tell("box", "add", "steel")
    centre.tell("box", "remove", "steel-1")
    until(lambda: centre.has("steel-3") and centre.of("steel-3").state == "ready" and not centre.has("steel-1"))
    assert {signed_up(centre, number)[:4] for number in (11, 12)} <= {"FM02", "FM03"}
    centre.tell("box", "remove", "steel-2")


@pytest.mark.clause("M8", "M22")
def test_one_that_has_older_keys_than_the_others(
    centre: RunningCentre, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    keep(centre, tmp_path / "older")
    centre.tell("value-kind", "add", "eur-cent")
    centre.tell("value-kind", "add", "kwh-milli")
    put_back(centre, tmp_path / "older")
    check_named(centre, capsys, "steel-2 has keys 2 of eur-cent, and steel-1 has 1")
