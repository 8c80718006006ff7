"""A data centre with all its processes: what each can open, and that it goes on when one of them is gone."""

import asyncio
import json
import os
import signal
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from fob_office.centre.boxes.identity import MASTERS
from fob_office.centre.bus.passes import Kind
from fob_office.centre.communication.asking import CentreAsker
from fob_office.centre.database.process import FILE
from fob_office.centre.supervising.figures import read_figures
from fob_office.centre.supervising.supervisor import run_centre
from fob_office.centre.supervising.wish import is_wished
from fob_office.cli.context import Cli
from fob_office.cli.main import run
from fob_office.errors import OperatorError
from fob_office.settings import LogSettings
from fob_office.surroundings import SYSTEM
from fob_protocol.office.errors import RefusedError
from support.running_centre import DistantMailer, RunningCentre, running_centre, until

# Begun before others: programs, or a whole data centre.
pytestmark = pytest.mark.slow

AS_ROOT = os.geteuid() == 0


@pytest.fixture(scope="module")
def centre(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningCentre]:
    with running_centre(tmp_path_factory.mktemp("c") / "o", "--steel-boxes", "2") as made:
        yield made


def opened(pid: int) -> set[Path]:
    """Files that a process has open."""
    found = set()
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        try:
            found.add(Path(os.readlink(descriptor)))
        except FileNotFoundError:
            continue
    return found


@pytest.mark.clause("M2")
def test_each_role_is_a_process_of_its_own_and_opens_its_own_folder_alone(centre: RunningCentre) -> None:
    processes = centre.status().processes
    assert {process.kind for process in processes} == {kind.word for kind in Kind if kind != Kind.OPERATOR}
    pids = [process.pid for process in processes]
    assert len(set(pids)) == len(pids)
    for process in processes:
        assert process.pid is not None
        assert Path(f"/proc/{process.pid}/comm").read_text().strip() == process.name[:15]
        if not AS_ROOT:
            # Not even by the same user.
            with pytest.raises(PermissionError):
                opened(process.pid)
            continue
        folders = {
            path.relative_to(centre.folder).parts[0] for path in opened(process.pid) if _is_in(path, centre.folder)
        }
        assert folders <= {process.name}
    if AS_ROOT:
        # The meters' database is the database server's.
        holders = {p.name for p in processes if any(path.name.startswith("meters.db") for path in opened(p.pid or 0))}
        assert holders == {"database-1"}


def _is_in(path: Path, folder: Path) -> bool:
    return path.is_relative_to(folder)


@pytest.mark.clause("M2", "M3", "M33")
async def test_one_of_each_kind_is_killed_under_use_and_no_cent_is_lost(
    centre: RunningCentre, asker: CentreAsker
) -> None:  # fmt: skip
    anna = DistantMailer(centre, asker, "anna", 1)
    await anna.sign_up()
    await anna.load(10_000)
    spent = 0
    names = ["manufacturing", "meter-1", "meter-2", "authentication-1", "transaction-1", "function-1", "function-2"]
    for name in (*names, "database-1", "communication-1", "steel-1", "payment-1"):
        centre.kill(name)
        franked = await anna.frank(85)
        spent += 85
        assert (franked.registers.ascending, franked.registers.descending) == (spent, 10_000 - spent)
    loaded = await anna.load(500)
    assert loaded.registers.loads == 10_500
    bert = DistantMailer(centre, asker, "bert", 2)
    await bert.sign_up()
    assert bert.serial != anna.serial
    until(lambda: centre.status().is_ready)
    # One after another they came back, and no slot moved.
    assert all(centre.of(name).restarts >= 1 for name in names)


@pytest.mark.clause("M31")
async def test_a_meter_is_stopped_and_withdrawn_by_an_operator(
    centre: RunningCentre, asker: CentreAsker, capsys: pytest.CaptureFixture[str]
) -> None:
    carl = DistantMailer(centre, asker, "carl", 3)
    await carl.sign_up()
    await carl.load(1_000)
    await centre.told("meter", "stop", carl.serial)
    with pytest.raises(RefusedError, match="stopped"):
        await carl.frank(85)
    await centre.told("meter", "resume", carl.serial)
    await carl.frank(85)
    await centre.told("meter", "limits", carl.serial, "--most-for-a-piece", "90")
    with pytest.raises(RefusedError, match="over-limit"):
        await carl.frank(91)
    shown = json.loads(await centre.told("meter", "show", carl.serial, "--json"))
    assert (shown["state"], shown["name"], shown["most_for_a_piece"], shown["checked"]) == (
        "active",
        "carl",
        90,
        "genuine",
    )
    before = shown["counter"]
    for command, words in (
        (["resume"], "is active already"),
        (["limits", "--most-for-a-piece=90"], "has these limits already"),
        (["settle"], "owes nothing"),
    ):
        line = ["centre", "meter", *command, carl.serial, "--state", str(centre.state)]
        assert await asyncio.to_thread(run, line, Cli()) == 0
        assert capsys.readouterr().err == f"nothing was done: meter {carl.serial} {words}\n"
    assert json.loads(await centre.told("meter", "show", carl.serial, "--json"))["counter"] == before
    await centre.told("meter", "withdraw", carl.serial)
    with pytest.raises(RefusedError, match="stopped"):
        await carl.load(1)
    assert (await carl.refund(915)).registers.descending == 0
    listed = {one["serial"]: one for one in json.loads(await centre.told("meter", "list", "--json"))}
    assert listed[carl.serial]["state"] == "withdrawn"


@pytest.mark.clause("M29")
async def test_an_operator_has_a_card_refused_and_taken_again(centre: RunningCentre, asker: CentreAsker) -> None:
    carol = DistantMailer(centre, asker, "carol", 9)
    await carol.sign_up()
    await carol.load(1_000)
    done = {"balance": 2_500, "refused": True, "charged": 1_000, "paid_back": 0, "payments": 1}
    said = await centre.told("card", "set", carol.serial, "--balance", "2500", "--refuse", "--json")
    assert json.loads(said) == done
    with pytest.raises(RefusedError, match="payment-refused"):
        await carol.load(1)
    # What the meter has is the mailer's all the same.
    assert (await carol.frank(85)).registers.descending == 915
    await centre.told("card", "set", carol.serial, "--accept")
    with pytest.raises(RefusedError, match="payment-refused") as refused:
        await carol.load(2_501)
    assert refused.value.said == "the card does not cover it"
    await carol.load(2_500)
    shown = json.loads(await centre.told("card", "show", carol.serial, "--json"))
    assert shown == {"balance": 0, "refused": False, "charged": 3_500, "paid_back": 0, "payments": 2}


@pytest.mark.clause("M6")
async def test_the_log_leaves_the_centre(centre: RunningCentre, tmp_path: Path) -> None:
    while json.loads(await centre.told("status", "--json"))["checkpoint_size"] is None:
        pass
    await centre.told("log", "checkpoint", str(tmp_path / "checkpoint"))
    # A witness that comes each day with the same name.
    await centre.told("log", "checkpoint", str(tmp_path / "checkpoint"))
    await centre.told("log", "export", str(tmp_path / "log"))
    from fob_log_verify.main import main

    assert main([str(tmp_path / "log"), str(tmp_path / "checkpoint")]) == 0
    keys = json.loads(await centre.told("log", "keys", "--json"))
    trusted = [word for one in keys if one["signs"] == "log" for word in ("--key", one["key"])]
    assert main([*trusted, str(tmp_path / "log"), str(tmp_path / "checkpoint")]) == 0


@pytest.mark.clause("M23")
async def test_an_operator_holds_the_tables_against_the_log(
    centre: RunningCentre, asker: CentreAsker, capsys: pytest.CaptureFixture[str]
) -> None:
    dora = DistantMailer(centre, asker, "dora", 4)
    await dora.sign_up()
    well = json.loads(await centre.told("audit", "--json"))
    assert (well["is_well"], well["is_compared"], well["findings"]) == (True, True, [])
    assert well["rows"]["meters"] == well["rows"]["mailers"] >= 1
    # The log goes on meanwhile.
    name, entries = (await centre.told("audit")).splitlines()[0].split()
    assert (name, int(entries) >= well["entries"]) == ("entries", True)

    def staff(statement: str) -> None:
        with closing(sqlite3.connect(centre.folder / "database-1" / FILE)) as connection, connection:
            assert connection.execute(statement, (dora.serial,)).rowcount == 1

    staff("UPDATE meters SET funds = funds + 7 WHERE serial = ?")
    command = ["centre", "audit", "--state", str(centre.state)]
    assert await asyncio.to_thread(run, command, Cli()) == 1
    said = capsys.readouterr()
    assert said.out.splitlines()[-1].split() == ["meters", dora.serial, "funds", "0", "7"]
    helps = f"fob-office centre meter recover {dora.serial}"
    assert said.err.splitlines() == ["something does not fit the log", f"try: {helps}"]
    await centre.told(*helps.split()[2:])
    assert await asyncio.to_thread(run, command, Cli()) == 0
    assert capsys.readouterr().err == "all is well\n"


@pytest.mark.clause("M3", "M34")
async def test_a_box_that_hangs_is_replaced_by_its_second_and_comes_back_as_one(
    centre: RunningCentre, asker: CentreAsker
) -> None:  # fmt: skip
    dina = DistantMailer(centre, asker, "dina", 7)
    await dina.sign_up()
    await dina.load(1_000)
    view = centre.status().view
    centre.signal("meter-1", signal.SIGSTOP)
    began = time.monotonic()
    until(lambda: centre.status().view > view)
    assert time.monotonic() - began < 20
    assert (await dina.frank(85)).registers.descending == 915
    centre.signal("meter-1", signal.SIGCONT)
    until(lambda: centre.status().view == view + 2 and centre.status().alone == 0)
    assert (await dina.frank(85)).registers.descending == 830
    assert centre.of("meter-1").restarts <= 1


def test_one_supervisor_at_a_time(centre: RunningCentre) -> None:
    with pytest.raises(OperatorError) as caught:
        run_centre(centre.folder, SYSTEM, LogSettings(), lambda: None)
    assert caught.value.lines.splitlines() == [
        "error: the data centre runs already",
        f"why:   another process has {centre.folder}",
        "try:   fob-office centre status",
    ]


@pytest.mark.clause("M3")
async def test_a_box_that_was_tampered_with_is_left_alone_and_another_takes_its_place(
    centre: RunningCentre, asker: CentreAsker
) -> None:  # fmt: skip
    emil = DistantMailer(centre, asker, "emil", 5)
    await emil.sign_up()
    await emil.load(1_000)
    # After the failover above, meter-2 owns every slot, and the other one has fetched all of them.
    until(lambda: centre.status().alone == 0)
    (centre.folder / "meter-2" / MASTERS).write_bytes(b"changed")
    view = centre.status().view
    centre.kill("meter-2")
    until(lambda: centre.of("meter-2").state == "tampered" and centre.status().view > view)
    assert (await emil.frank(85)).registers.descending == 915
    await centre.told("box", "add", "meter")
    until(
        lambda: (
            centre.has("meter-3")
            and centre.of("meter-3").state == "ready"
            and centre.of("meter-3").view == centre.status().view
        )
    )
    assert (await emil.frank(85)).registers.descending == 830
    await centre.told("box", "remove", "meter-2")
    until(lambda: not centre.has("meter-2"))


@pytest.mark.clause("M34")
async def test_meters_are_spread_over_all_boxes_again_under_use(centre: RunningCentre, asker: CentreAsker) -> None:
    emma = DistantMailer(centre, asker, "emma", 6)
    await emma.sign_up()
    await emma.load(1_000)
    until(lambda: centre.status().alone == 0)
    assert (centre.of("meter-1").slots, centre.of("meter-3").slots) == (64, 0)
    await centre.told("box", "balance")
    franked = 0
    while (centre.of("meter-1").slots, centre.of("meter-3").slots) != (32, 32):
        await emma.frank(1)
        franked += 1
    assert (await emma.frank(1)).registers.ascending == franked + 1
    until(lambda: centre.status().alone == 0 and not is_wished(centre.folder))
    # The office is told of it in a few seconds, by a file.
    until(lambda: sum(served.pieces for served in read_figures(centre.folder).functions.values()) > franked)
    figures = read_figures(centre.folder)
    assert figures.failovers >= 2
    assert figures.log_size is not None
    assert set(figures.communication) == {"communication-1"}


@pytest.mark.clause("M22")
async def test_a_checkpoint_that_cannot_be_read_ends_nothing_and_is_warned_of(
    centre: RunningCentre, asker: CentreAsker
) -> None:
    await DistantMailer(centre, asker, "frida", 77).sign_up()
    until(lambda: read_figures(centre.folder).log_size is not None)
    spoil = "UPDATE checkpoints SET signed = x'00'"
    pids = {process.name: process.pid for process in centre.status().processes}
    with closing(sqlite3.connect(centre.folder / "database-1" / FILE)) as connection:
        # The next ones too.
        connection.execute(f"CREATE TRIGGER spoiling AFTER INSERT ON checkpoints BEGIN {spoil}; END")
        with connection:
            assert connection.execute(spoil).rowcount == 1
        sentence = "the newest checkpoint of the log cannot be read"
        assert sentence in await centre.told("status")
        until(lambda: any(sentence in warned.why for warned in read_figures(centre.folder).newest))
        connection.execute("DROP TRIGGER spoiling")
    assert {process.name: process.pid for process in centre.status().processes} == pids


@pytest.mark.clause("M32", "M21")
async def test_new_keys_of_a_value_kind_change_no_rule_that_is_not_said(centre: RunningCentre) -> None:
    await centre.told("value-kind", "add", "eur-cent", "--freshness", "random", "--credit", "5000", "--public-tokens")
    (before,) = json.loads(await centre.told("value-kind", "list", "--json"))
    assert (before["freshness"], before["credit"], before["public_tokens"]) == ("random", 5_000, True)
    await centre.told("value-kind", "add", "eur-cent", "--most-for-a-piece", "900")
    (after,) = json.loads(await centre.told("value-kind", "list", "--json"))
    assert after == before | {"key_version": before["key_version"] + 1, "most_for_a_piece": 900}
    await centre.told("value-kind", "add", "eur-cent", "--no-public-tokens")
    (last,) = json.loads(await centre.told("value-kind", "list", "--json"))
    assert last == after | {"key_version": before["key_version"] + 2, "public_tokens": False}


def test_the_processes_end_with_their_supervisor(centre: RunningCentre) -> None:
    pids = [process.pid for process in centre.status().processes if process.pid is not None]
    assert centre.process is not None
    centre.process.kill()
    centre.process.wait()
    until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids))
    assert "stopped" in centre.tell("status")
    centre.start()
    pids = [process.pid for process in centre.status().processes if process.pid is not None]
    assert centre.stop() == 0
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)
