"""Boxes that were tampered with are replaced by others, also the only one of its kind; until then it is said."""

import asyncio
import json
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from fob_office.centre.boxes.identity import IDENTITY
from fob_office.centre.communication.asking import CentreAsker
from fob_office.centre.database.process import FILE as METERS
from fob_office.cli.context import Cli
from fob_office.cli.main import run
from fob_office.office import open_office
from fob_office.servers.identity import certificate_of
from fob_office.servers.service import newest_keys
from fob_office.settings import load_settings
from fob_office.surroundings import SYSTEM
from fob_protocol.office.errors import RefusedError
from support.office_process import PROGRAM
from support.running_centre import DistantMailer, RunningCentre, running_centre, until

# Begun before others: programs, or a whole data centre.
pytestmark = pytest.mark.slow

# One of each kind that can be spared, to be lost.
SMALL = ("--authentication-boxes", "1", "--transaction-boxes", "1", "--function-servers", "1", "--fee", "0")


@pytest.fixture(scope="module")
def centre(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningCentre]:
    with running_centre(tmp_path_factory.mktemp("c") / "o", *SMALL) as made:
        yield made


async def refused(centre: RunningCentre, capsys: pytest.CaptureFixture[str], *arguments: str) -> list[str]:
    """Why, and what helps; nothing is left of it."""
    before = sorted(path.name for path in centre.folder.iterdir() if path.is_dir())
    assert await asyncio.to_thread(run, ["centre", *arguments, "--state", str(centre.state)], Cli()) != 0
    assert sorted(path.name for path in centre.folder.iterdir() if path.is_dir()) == before
    _, why, command = capsys.readouterr().err.splitlines()
    return [why.removeprefix("why:   "), command.removeprefix("try:   ")]


def tamper(centre: RunningCentre, name: str) -> None:
    """One octet of its keys, while its power is cut."""
    file = centre.folder / name / IDENTITY
    octets = bytearray(file.read_bytes())
    octets[20] ^= 1
    file.write_bytes(octets)
    centre.kill(name)
    until(lambda: centre.of(name).state == "tampered")


async def lost(centre: RunningCentre) -> tuple[str, list[str]]:
    """What `centre status` says of it."""
    said = json.loads(await centre.told("status", "--json"))
    return said["state"], said["tampered"]


def is_ready(centre: RunningCentre, name: str) -> bool:
    return centre.has(name) and centre.of(name).state == "ready" and centre.status().is_ready


@pytest.mark.clause("M34")
async def test_sqlite_has_one_database_server_and_keeps_it(
    centre: RunningCentre, capsys: pytest.CaptureFixture[str]
) -> None:
    why = "SQLite has one database server, and several need PostgreSQL"
    assert await refused(centre, capsys, "box", "add", "database") == [why, "fob-office centre status"]
    assert await refused(centre, capsys, "box", "remove", "database-1") == [
        "database-1 is the only one of its kind",
        "fob-office centre box add database    (and then the same command)",
    ]
    assert await lost(centre) == ("ready", [])


@pytest.mark.clause("M3", "M34")
async def test_a_database_server_that_was_tampered_with_leaves_its_tables_to_another(
    centre: RunningCentre, asker: CentreAsker, tmp_path: Path
) -> None:
    anna = DistantMailer(centre, asker, "anna", 1)
    await anna.sign_up()
    await anna.load(1_000)
    tamper(centre, "database-1")
    add = "fob-office centre box add database"
    assert await lost(centre) == (
        "not ready",
        [f"database-1 was tampered with, and no other database process is there: {add}"],
    )
    await centre.told("box", "add", "database")
    until(lambda: not centre.has("database-1") and is_ready(centre, "database-2"))
    assert (await anna.frank(85)).registers.descending == 915
    assert json.loads(await centre.told("audit", "--json"))["is_well"]
    assert await lost(centre) == ("ready", [])


@pytest.mark.clause("M3", "M8")
async def test_the_only_steel_box_that_was_tampered_with_is_replaced(
    centre: RunningCentre, asker: CentreAsker, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    bert = DistantMailer(centre, asker, "bert", 2)
    await bert.sign_up()
    tamper(centre, "steel-1")
    add = "fob-office centre box add steel"
    assert await lost(centre) == (
        "not ready",
        [f"steel-1 was tampered with, and no other steel process is there: {add}"],
    )
    assert await refused(centre, capsys, "value-kind", "add", "eur-cent") == [
        "no steel box is there that answers",
        f"{add}    (and then the same command)",
    ]
    assert await refused(centre, capsys, "box", "remove", "steel-1") == [
        "steel-1 is the only one of its kind",
        f"{add}    (and then the same command)",
    ]
    # What the box would begin is there already: after it was admitted, and nothing of it stays.
    (tmp_path / "eur-cent-2.vendor").touch()
    await refused(centre, capsys, "box", "add", "steel", "--keep-keys", str(tmp_path))
    await centre.told("box", "add", "steel", "--keep-keys", str(tmp_path / "kept"))
    until(lambda: is_ready(centre, "steel-3"))
    assert {path.name for path in (tmp_path / "kept").iterdir()} == {"eur-cent-3.vendor", "eur-cent-3.postal"}
    assert not (centre.folder / "steel-2").exists()
    remove = "fob-office centre box remove steel-1"
    assert await lost(centre) == ("ready", [f"steel-1 was tampered with: {add}, and {remove}"])
    await centre.told("box", "remove", "steel-1")
    until(lambda: not centre.has("steel-1"))
    await centre.told("meter", "stop", bert.serial)
    clara = DistantMailer(centre, asker, "clara", 3)
    await clara.sign_up()
    assert clara.serial[2:4] == "03"


@pytest.mark.clause("M8")
async def test_a_steel_box_that_is_silent_is_named_and_one_that_was_tampered_with_passed_over(
    centre: RunningCentre, capsys: pytest.CaptureFixture[str]
) -> None:
    await centre.told("box", "add", "steel")
    until(lambda: is_ready(centre, "steel-4"))
    centre.signal("steel-4", signal.SIGSTOP)
    silent = [
        "steel-4 does not answer, and would go on with older keys",
        "fob-office centre box remove steel-4    (where it does not come back)",
    ]
    assert await refused(centre, capsys, "box", "add", "steel") == silent
    assert await refused(centre, capsys, "value-kind", "add", "eur-cent") == silent
    # It cannot be spared: the other one is all that there is.
    assert await refused(centre, capsys, "box", "remove", "steel-3") == [
        "no other steel process runs: steel-4 does not answer",
        "fob-office centre box add steel    (and then the same command)",
    ]
    tamper(centre, "steel-4")
    await centre.told("value-kind", "add", "eur-cent")
    await centre.told("box", "add", "steel")
    until(lambda: is_ready(centre, "steel-5"))
    await centre.told("box", "remove", "steel-4")


@pytest.mark.clause("M3")
async def test_the_only_function_server_that_was_tampered_with_is_replaced_by_one_with_new_keys(
    centre: RunningCentre, asker: CentreAsker
) -> None:
    await centre.told("terms", "--deposit", "700")
    tamper(centre, "function-1")
    assert (await lost(centre))[0] == "not ready"
    await centre.told("box", "add", "function")
    until(lambda: is_ready(centre, "function-2"))
    await centre.told("box", "remove", "function-1")
    epoch = centre.certificate.epoch
    office = open_office(load_settings(centre.state, {}), {}, SYSTEM)
    with office.database.read() as session:
        centre.certificate = certificate_of(newest_keys(session, "metering"))
    office.close()
    assert centre.certificate.epoch == epoch + 1
    dora = DistantMailer(centre, asker, "dora", 4)
    await dora.sign_up()
    with pytest.raises(RefusedError, match="payment-refused"):
        await dora.load(699)
    await dora.load(1_000)
    assert (await dora.frank(85)).registers.descending == 915
    assert "due" not in await centre.told("status")


@pytest.mark.clause("M3", "M23")
@pytest.mark.parametrize(("kind", "seed"), [("transaction", 6), ("authentication", 7), ("communication", 8)])
async def test_the_only_one_of_another_kind_that_was_tampered_with_is_replaced(
    centre: RunningCentre, asker: CentreAsker, kind: str, seed: int
) -> None:
    dora = DistantMailer(centre, asker, f"dora {seed}", seed)
    await dora.sign_up()
    await dora.load(1_000)
    await dora.frank(85)
    tamper(centre, f"{kind}-1")
    assert (await lost(centre))[0] == "not ready"
    await centre.told("box", "add", kind)
    until(lambda: is_ready(centre, f"{kind}-2"))
    await centre.told("box", "remove", f"{kind}-1")
    until(lambda: not centre.has(f"{kind}-1"))
    assert (await dora.frank(85)).registers.descending == 830
    assert json.loads(await centre.told("audit", "--json"))["is_well"]
    assert await lost(centre) == ("ready", [])


@pytest.mark.clause("M3")
async def test_a_function_server_is_added_whichever_was_tampered_with(centre: RunningCentre) -> None:
    await centre.told("box", "add", "function")
    until(lambda: is_ready(centre, "function-3"))
    tamper(centre, "function-2")
    assert (await lost(centre))[0] == "ready"
    await centre.told("terms", "--deposit", "0")
    await centre.told("renew")
    await centre.told("box", "add", "function")
    until(lambda: is_ready(centre, "function-4"))
    await centre.told("box", "remove", "function-2")


@pytest.mark.clause("M3")
async def test_an_operator_whose_folder_was_changed_is_replaced_while_nothing_runs(
    centre: RunningCentre, asker: CentreAsker, capsys: pytest.CaptureFixture[str]
) -> None:
    instead = "fob-office centre box add operator    (while nothing runs)"
    assert (await refused(centre, capsys, "box", "add", "operator"))[1] == "fob-office centre status"
    file = centre.folder / "operator-1" / IDENTITY
    file.write_bytes(file.read_bytes()[::-1])
    assert (await refused(centre, capsys, "meter", "list"))[1] == instead
    # What the supervisor knows is shown all the same.
    assert "operator-1 found its folder changed" in await centre.told("status")
    assert centre.stop() == 0
    # In a process of its own: it sets up the log of the whole process.
    command = [*PROGRAM, "centre", "run", "--state", str(centre.state)]
    ended = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, timeout=60)
    assert ended.stderr.splitlines()[-1] == f"try:   {instead}"
    await centre.told("box", "add", "operator")
    assert (await refused(centre, capsys, "box", "add", "operator"))[0].startswith("operator-2 is as it was made")
    centre.start()
    assert await lost(centre) == ("ready", [])
    await centre.told("box", "add", "communication")
    until(lambda: is_ready(centre, "communication-3"))


@pytest.mark.clause("M3")
async def test_without_a_manufacturing_box_the_data_centre_goes_on(
    centre: RunningCentre, asker: CentreAsker, capsys: pytest.CaptureFixture[str]
) -> None:
    emil = DistantMailer(centre, asker, "emil", 5)
    await emil.sign_up()
    await emil.load(1_000)
    for name in ("manufacturing", "payment-1"):
        tamper(centre, name)
    assert centre.stop() == 0
    centre.begin()
    until(lambda: centre.of("communication-2").state == centre.of("database-2").state == "ready")
    assert (await emil.frank(85)).registers.descending == 915
    state, tampered = await lost(centre)
    assert state == "not ready"
    assert tampered == [
        "manufacturing was tampered with: no process is added and no slot moves any more; a data centre has one,"
        " for ever",
        "payment-1 was tampered with: no money comes or goes any more; a data centre has one, for ever",
    ]
    assert await refused(centre, capsys, "box", "add", "meter") == [
        "manufacturing found its folder changed and erased its keys",
        "fob-office centre init --state FOLDER    (another data centre: nothing replaces this box)",
    ]


@pytest.mark.clause("M3")
async def test_a_backup_of_the_database_server_before_is_put_back_to_its_successor(
    centre: RunningCentre, tmp_path: Path
) -> None:
    from fob_office.centre.operating.backing_up import back_up_centre, restore_centre

    (tmp_path / "b").mkdir()
    await asyncio.to_thread(back_up_centre, centre.folder, tmp_path / "b")
    made = tmp_path / "b" / "centre.backup"
    (made / "database-2").rename(made / "database-1")
    assert centre.stop() == 0
    assert restore_centre(centre.folder, tmp_path / "b").files == (f"database-2/{METERS}",)
