"""A manufacturing box whose folder was put back, or that makes no view: an operator is told, and loses no meter."""

import asyncio
import json
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from fob_office.centre.boxes.identity import IDENTITY
from fob_office.centre.communication.asking import CentreAsker
from fob_office.cli.context import Cli
from fob_office.cli.main import run
from support.running_centre import DistantMailer, RunningCentre, running_centre, until

# Begun before others: programs, or a whole data centre.
pytestmark = pytest.mark.slow

SMALL = ("--meter-boxes", "2", "--authentication-boxes", "1", "--transaction-boxes", "1", "--function-servers", "1")


@pytest.fixture
def centre(tmp_path: Path) -> Iterator[RunningCentre]:
    with running_centre(tmp_path / "o", *SMALL) as made:
        yield made


def refused(capsys: pytest.CaptureFixture[str], centre: RunningCentre, *arguments: str) -> list[str]:
    """What, why and the next command."""
    capsys.readouterr()
    assert run(["centre", *arguments, "--state", str(centre.state)], Cli()) == 1
    return [line.partition(":")[2].strip() for line in capsys.readouterr().err.splitlines()[-3:]]


@pytest.mark.clause("M34")
def test_one_that_was_put_back_goes_on_and_says_so(centre: RunningCentre, tmp_path: Path) -> None:
    centre.stop()
    shutil.copytree(centre.folder / "manufacturing", tmp_path / "older")
    centre.start()
    centre.tell("box", "add", "meter")
    until(lambda: centre.has("meter-3") and centre.status().is_ready)
    centre.tell("box", "balance")
    until(lambda: centre.of("meter-3").slots not in (None, 0) and centre.status().alone == 0)
    until(lambda: not (centre.folder / "balance").exists())
    centre.stop()
    shutil.rmtree(centre.folder / "manufacturing")
    shutil.copytree(tmp_path / "older", centre.folder / "manufacturing")
    centre.start()

    view = centre.status().view
    until(lambda: json.loads(centre.tell("warnings", "--json")) != [])
    (warned,) = json.loads(centre.tell("warnings", "--json"))
    assert warned["word"] == "tampering"
    told = f"manufacturing was put back to an older folder: of the views that it made it knew 1 and not {view}; "
    assert warned["why"].startswith(told)
    # A view is made all the same, and the box that was admitted since is named in it.
    centre.tell("box", "remove", "meter-2")
    until(lambda: not centre.has("meter-2") and centre.status().alone == 0)
    assert centre.status().view > view
    slots = {name: centre.of(name).slots for name in ("meter-1", "meter-3")}
    assert sum(number or 0 for number in slots.values()) == 64
    assert json.loads(centre.tell("status", "--json"))["no_view"] == []


@pytest.mark.clause("M34")
def test_where_no_view_can_be_made_nothing_is_removed_and_everybody_is_told(
    centre: RunningCentre, capsys: pytest.CaptureFixture[str]
) -> None:
    anna = DistantMailer(centre, CentreAsker(centre.folder), "anna", 1)

    async def work() -> None:
        await anna.sign_up()
        await anna.load(1_000)
        anna.asker.close()

    asyncio.run(work())
    file = centre.folder / "manufacturing" / IDENTITY
    file.write_bytes(file.read_bytes()[:-1])
    centre.kill("manufacturing")
    until(lambda: centre.of("manufacturing").state == "tampered")

    status = "fob-office centre status"
    what, why, command = refused(capsys, centre, "box", "remove", "meter-2")
    assert (what, command) == ("nothing was removed", status)
    assert why.startswith("the view has meter-2 still")
    assert "no view can be made: manufacturing: it does not run" in why
    assert centre.has("meter-2")
    until(lambda: centre.status().no_view == "")
    assert json.loads(centre.tell("status", "--json"))["state"] == "not ready"

    # One that dies is not replaced, and that is no secret.
    centre.signal("meter-2", signal.SIGSTOP)
    until(lambda: centre.status().no_view != "")
    said = json.loads(centre.tell("status", "--json"))
    (told,) = said["no_view"]
    assert "no view can be made" in told
    assert "fob-office run" in told
    what, why, command = refused(capsys, centre, "box", "remove", "meter-2")
    assert (what, command) == ("nothing was removed", status)
    assert why.startswith("meter-2 does not answer")
    assert "no view can be made: manufacturing" in why
    assert refused(capsys, centre, "box", "balance")[0] == "nothing was spread"
    centre.signal("meter-2", signal.SIGCONT)
    until(lambda: centre.status().no_view == "")


def test_connection_refused_is_not_said_without_what_it_means(
    centre: RunningCentre, capsys: pytest.CaptureFixture[str]
) -> None:
    centre.stop()
    assert refused(capsys, centre, "box", "remove", "meter-2") == [
        "meter-2 was not removed",
        f"the data centre in {centre.folder} does not run",
        f"fob-office run --state {centre.state}",
    ]
    centre.start()
