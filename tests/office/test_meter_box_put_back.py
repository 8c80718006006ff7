"""A meter box whose folder is put back while a data centre stands still: an operator is told which, and what to do."""

import asyncio
import json
import shutil
from collections.abc import Awaitable, Iterator
from pathlib import Path

import pytest

from fob_office.centre.communication.asking import CentreAsker
from fob_office.cli.context import Cli
from fob_office.cli.main import run
from fob_protocol.office.errors import RefusedError
from support.running_centre import DistantMailer, RunningCentre, running_centre, until

# Begun before others: programs, or a whole data centre.
pytestmark = pytest.mark.slow

SMALL = ("--meter-boxes", "2", "--authentication-boxes", "1", "--transaction-boxes", "1", "--function-servers", "1")


@pytest.fixture
def centre(tmp_path: Path) -> Iterator[RunningCentre]:
    with running_centre(tmp_path / "o", *SMALL) as made:
        yield made


def do(centre: RunningCentre, mailer: DistantMailer, *deeds: Awaitable[object]) -> None:
    """On a connection of its own."""

    async def work() -> None:
        mailer.asker = CentreAsker(centre.folder)
        try:
            for deed in deeds:
                await deed
        finally:
            mailer.asker.close()

    asyncio.run(work())


def refused(capsys: pytest.CaptureFixture[str], centre: RunningCentre, *arguments: str) -> list[str]:
    """What, why and the next command."""
    capsys.readouterr()
    assert run(["centre", *arguments, "--state", str(centre.state)], Cli()) == 1
    return [line.partition(":")[2].strip() for line in capsys.readouterr().err.splitlines()[-3:]]


@pytest.mark.clause("M22", "M31", "M34")
def test_a_meter_box_that_was_put_back_is_named_and_the_one_that_knows_is_kept(
    centre: RunningCentre, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    anna = DistantMailer(centre, CentreAsker(centre.folder), "anna", 1)
    do(centre, anna, anna.sign_up(), anna.load(1_000))
    shown = json.loads(centre.tell("meter", "show", anna.serial, "--json"))
    old, second = shown["owner"], shown["second"]
    assert ({old, second}, shown["checked"]) == ({"meter-1", "meter-2"}, "genuine")
    centre.stop()
    shutil.copytree(centre.folder / old, tmp_path / "older")
    centre.start()
    do(centre, anna, anna.frank(85), anna.frank(85))
    centre.stop()
    shutil.rmtree(centre.folder / old)
    shutil.copytree(tmp_path / "older", centre.folder / old)
    centre.start()

    remedy = f"fob-office centre box remove {old}"
    why = (
        f"{old} was put back to an older folder: its second {second} holds record 4 of {anna.serial}, where {old} has 2"
    )
    # The box has forgotten what it did: the mailer is not told for good that nothing was done.
    monkeypatch.setattr("support.running_centre.PATIENCE", 3.0)
    with pytest.raises(RefusedError, match="unavailable"):
        do(centre, anna, anna.frank(1))
    monkeypatch.undo()
    until(lambda: centre.of(old).state == "put-back")
    assert centre.of(second).state == "ready"
    helps = f"{remedy}, and fob-office centre box add meter"
    assert json.loads(centre.tell("status", "--json"))["put_back"] == [
        f"{old} was put back to an older folder: {helps}"
    ]
    shown = json.loads(centre.tell("meter", "show", anna.serial, "--json"))
    assert (shown["owner"], shown["second"]) == (old, second)
    assert shown["checked"] == f"tampering: {why}; next: {remedy}"
    warned = json.loads(centre.tell("warnings", "--json"))[-1]
    assert (warned["word"], warned["serial"], warned["why"]) == ("tampering", anna.serial, f"{why}; next: {remedy}")
    said = [f"tampering: {why}", remedy]
    assert refused(capsys, centre, "meter", "recover", anna.serial)[1:] == said
    _, told, command = refused(capsys, centre, "meter", "stop", anna.serial)
    assert (f"tampering: {why}" in told, command) == (True, remedy)
    assert refused(capsys, centre, "meter", "recover", "--all")[-1] == remedy
    assert refused(capsys, centre, "box", "remove", second) == [
        "nothing was removed",
        f"{second} knows more of meter {anna.serial} than {old}, which was put back to an older folder",
        remedy,
    ]

    centre.tell("box", "remove", old)
    centre.tell("box", "add", "meter")
    until(lambda: not centre.has(old) and centre.status().alone == 0)
    do(centre, anna, anna.frank(1))
    shown = json.loads(centre.tell("meter", "show", anna.serial, "--json"))
    assert (shown["checked"], shown["ascending"], shown["owner"], shown["second"]) == (
        "genuine", 171, second, "meter-3",
    )  # fmt: skip
