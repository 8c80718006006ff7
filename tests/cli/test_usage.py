"""What is typed wrongly: refused before anything begins, and told to a script as it asked."""

import json
from pathlib import Path
from typing import Any

import pytest

from fob_daemon.cli.context import Fob
from fob_daemon.cli.main import run
from fob_daemon.cli.starting import BY_HAND, START, start_command


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """The commands of all demos that begin; each ends with 9."""
    commands: list[tuple[str, ...]] = []

    def begin(link: object, command: tuple[str, ...], *_: object, **__: object) -> int:
        commands.append(command)
        return 9

    monkeypatch.setattr("fob_daemon.demo.run.run_demo", begin)
    return commands


def fob(*arguments: str) -> int:
    return run(arguments, Fob({}))


@pytest.mark.parametrize("arguments", [("--nonsense",), ("--nonsense", "true"), ("-x", "--", "true"), ("--link",)])
def test_no_demo_begins_with_an_option_that_it_does_not_know(
    started: list[tuple[str, ...]], capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
) -> None:
    assert (fob("demo", *arguments), started) == (2, [])
    assert f"ption '{arguments[0]}'" in capsys.readouterr().err.splitlines()[0]


@pytest.mark.parametrize(
    ("arguments", "command"),
    [
        ((), ()),
        (("--headless",), ()),
        (("--", "ssh-add", "-l"), ("ssh-add", "-l")),
        (("ssh-add", "-l"), ("ssh-add", "-l")),
        (("--link", "ble", "sh", "--nonsense", "--link", "x", "--help"), ("sh", "--nonsense", "--link", "x", "--help")),
        (("--headless", "--", "--own"), ("--own",)),
    ],
)
def test_the_options_of_a_demo_s_command_are_the_command_s(
    started: list[tuple[str, ...]], arguments: tuple[str, ...], command: tuple[str, ...]
) -> None:
    assert (fob("demo", *arguments), started) == (9, [command])


@pytest.mark.parametrize(
    ("arguments", "next_command"),
    [
        (("--json", "--nonsense"), "fob --help"),
        (("--nonsense", "--json"), "fob --help"),
        (("--json", "stauts"), "fob --help"),
        (("status", "--nonsense", "--json"), "fob status --help"),
        (("pair", "--json"), "fob pair --help"),
    ],
)
def test_a_script_reads_one_object(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], next_command: str
) -> None:
    assert fob(*arguments) == 2
    said = capsys.readouterr()
    error: dict[str, Any] = json.loads(said.err)["error"]
    assert (said.out, error["exit_code"], error["next"]) == ("", 2, next_command)


def test_what_belongs_to_a_command_asks_for_no_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert fob("demo", "--nonsense", "--", "status", "--json") == 2
    assert capsys.readouterr().err.startswith("error: ")


@pytest.mark.parametrize(("runs", "command"), [(True, START), (False, BY_HAND)])
def test_the_daemon_is_started_by_what_runs_here(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str], runs: bool, command: str
) -> None:
    monkeypatch.setattr("fob_daemon.cli.starting.has_systemd", lambda environment: runs)
    environment = {"FOB_CONTROL_SOCKET": str(tmp_path / "none.sock"), "HOME": str(tmp_path)}
    assert run(("status",), Fob(environment)) == 3
    assert capsys.readouterr().err.splitlines()[-1] == f"try:   {command}"
    assert start_command(environment) == command
