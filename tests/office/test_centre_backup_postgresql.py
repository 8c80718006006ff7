"""Meters on PostgreSQL are backed up while all runs and put back, by the commands that `fob-office` prints."""

import asyncio
import json
import subprocess
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from fob_office.centre.communication.asking import CentreAsker
from fob_office.cli.context import Cli
from fob_office.cli.main import run
from support.postgresql import Cluster
from support.required import program
from support.running_centre import DistantMailer, RunningCentre, running_centre, until

# Begun before others: programs, or a whole data centre.
pytestmark = pytest.mark.slow

SMALL = (
    "--authentication-boxes",
    "1",
    "--transaction-boxes",
    "1",
    "--function-servers",
    "1",
    "--database-servers",
    "2",
)


@pytest.fixture
def centre(tmp_path: Path, cluster: Cluster) -> Iterator[RunningCentre]:
    with cluster.database() as url, running_centre(tmp_path / "o", *SMALL, "--database", url) as made:
        yield made


def told(capsys: pytest.CaptureFixture[str], centre: RunningCentre, *arguments: str) -> list[str]:
    """What a command tells people."""
    assert run([*arguments, "--state", str(centre.state)], Cli()) == 0
    return capsys.readouterr().err.splitlines()


def do(command: str, name: str) -> None:
    """As an operator pastes it."""
    assert command.startswith(f"{name} ")
    subprocess.run(command.replace(name, program(name), 1), shell=True, check=True, timeout=60)  # noqa: S602


def ask(anna: DistantMailer, *deeds: Callable[[], Awaitable[object]]) -> None:
    """One after another, on a connection of its own."""

    async def work() -> None:
        anna.asker = CentreAsker(anna.running.folder)
        for deed in deeds:
            await deed()
        anna.asker.close()

    asyncio.run(work())


def meter(centre: RunningCentre, serial: str) -> dict[str, object]:
    shown: dict[str, object] = json.loads(centre.tell("meter", "show", serial, "--json"))
    return shown


@pytest.mark.clause("M22", "M33")
def test_no_cent_is_lost_when_postgresql_is_put_back(
    centre: RunningCentre, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    backup = tmp_path / "backup"
    anna = DistantMailer(centre, CentreAsker(centre.folder), "anna", 1)
    ask(anna, anna.sign_up, lambda: anna.load(1_000))
    *_, dump = told(capsys, centre, "backup", str(backup))
    do(dump.removeprefix("next:  "), "pg_dump")
    ask(anna, lambda: anna.frank(85), lambda: anna.load(100))
    until(lambda: "null" not in centre.tell("status", "--json").split('"checkpoint_size":')[1][:6])
    centre.stop()
    (restore,) = [line for line in told(capsys, centre, "centre", "restore", str(backup)) if "pg_restore" in line]
    do(restore.removeprefix("next:  "), "pg_restore")
    centre.start()
    shown = meter(centre, anna.serial)
    assert shown["ascending"] == 0
    assert "tampering" in str(shown["checked"])
    assert "recovered 1 meters; 0 were as their boxes know them" in told(
        capsys, centre, "centre", "meter", "recover", "--all"
    )
    shown = meter(centre, anna.serial)
    assert (shown["ascending"], shown["descending"], shown["checked"]) == (85, 1_015, "genuine")
    ask(anna, lambda: anna.frank(15))
    assert meter(centre, anna.serial)["ascending"] == 100
