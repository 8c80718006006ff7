"""`fob doctor --fix`: every remedy shown before it is applied. Its checks are of the test's own."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from fob_daemon.cli import doctor
from fob_daemon.cli.checks.finding import Finding, Machine
from fob_daemon.cli.checks.fix import Run
from fob_daemon.cli.context import Fob
from fob_daemon.cli.main import run
from fob_daemon.control.errors import ControlError
from support.remedies import FAIL, OK, WARN


@pytest.fixture
def looked_at(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A file that one check wants, and three more troubles: for a command that fails, for root, for a person."""
    wanted = tmp_path / "wanted"

    def check(machine: Machine) -> Iterator[Finding]:
        if wanted.exists():
            yield Finding(OK, "file", "it is there")
        else:
            yield Finding(FAIL, "the file is not there", "nobody made it", "touch it", Run(("touch", str(wanted))))
        yield Finding(WARN, "a thing is broken", "it fell", "rub it", Run(("false",)))
        yield Finding(WARN, "a rule is missing", "nobody wrote it", "sudo write rule")
        yield Finding(WARN, "the phone is away", "far", "bring it near")

    monkeypatch.setattr(doctor, "CHECKS", (check,))
    return wanted


def fob(tmp_path: Path, *arguments: str) -> int:
    return run(["doctor", *arguments], Fob({"HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path)}))


def test_all_is_shown_then_applied(looked_at: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert fob(tmp_path) == 1
    assert "Some of this can be mended at once.    try: fob doctor --fix" in capsys.readouterr().err
    assert fob(tmp_path, "--fix", "--yes") == 0, "nothing fails any more"
    said = capsys.readouterr()
    assert "fail  the file is not there" in said.out
    assert said.err.splitlines() == [
        "",
        "Needs root:",
        "    sudo write rule    (a rule is missing)",
        "",
        "Needs you:",
        "    bring it near    (the phone is away)",
        "",
        "the file is not there",
        f"    $ touch {looked_at}",
        "done",
        "",
        "a thing is broken",
        "    $ false",
        "not mended: false: it ended with 1    try: rub it",
    ]
    assert looked_at.exists()


def test_for_a_script(looked_at: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert fob(tmp_path, "--json") == 1
    found = json.loads(capsys.readouterr().out)["findings"]
    assert [finding["fix"] for finding in found] == [[f"$ touch {looked_at}"], ["$ false"], None, None]
    assert fob(tmp_path, "--json", "--fix", "--yes") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["fixed"] == ["the file is not there"]
    assert found["failed"] == [{"what": "a thing is broken", "why": "false: it ended with 1"}]
    assert found["findings"][0]["outcome"] == "ok"


def test_nobody_to_ask(
    looked_at: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    assert fob(tmp_path, "--fix") == 2
    assert not looked_at.exists()
    assert fob(tmp_path, "--yes") == 2, "there is nothing to say yes to"


def test_each_is_asked_about(
    looked_at: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = iter((False, True))
    monkeypatch.setattr("fob_daemon.cli.mending.confirm", lambda *_: next(answers))
    assert fob(tmp_path, "--fix") == 1, "it fails still"
    assert not looked_at.exists()
    assert "a thing is broken" in capsys.readouterr().err


def test_nothing_to_mend(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(doctor, "CHECKS", (lambda machine: iter([Finding(OK, "all", "well")]),))
    assert fob(tmp_path, "--fix", "--yes") == 7
    root = Finding(FAIL, "a rule is missing", "nobody wrote it", "sudo write rule")
    monkeypatch.setattr(doctor, "CHECKS", (lambda machine: iter([root]),))
    assert fob(tmp_path, "--fix", "--yes") == 1
    assert "    sudo write rule    (a rule is missing)" in capsys.readouterr().err


def test_only_what_needs_a_person_is_left(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    away = Finding(WARN, "the phone is away", "far", "bring it near")
    monkeypatch.setattr(doctor, "CHECKS", (lambda machine: iter([away]),))
    assert fob(tmp_path, "--json", "--fix", "--yes") == 0
    said = capsys.readouterr()
    found = json.loads(said.out)
    assert ([finding["what"] for finding in found["findings"]], found["failed"]) == (["the phone is away"], [])
    assert said.err.splitlines()[-1] == "Nothing was mended: what is wrong is not for this program to mend."


class Unknowable:
    """A remedy that is in the way of itself, as a folder of fob's that is a plain file."""

    @property
    def lines(self) -> list[str]:
        raise ControlError("~/.config/fob/x was not read", "Not a directory", "move it away")

    def apply(self) -> None:
        raise AssertionError("never")


def test_a_remedy_that_cannot_be_told_does_not_stop_the_others(
    looked_at: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    odd = Finding(WARN, "a unit is missing", "nobody wrote it", "fob setup", Unknowable())
    monkeypatch.setattr(doctor, "CHECKS", (lambda machine: iter([odd]), *doctor.CHECKS))
    assert fob(tmp_path, "--json") == 1
    found = json.loads(capsys.readouterr().out)["findings"]
    why = "nobody wrote it; fob cannot mend it: ~/.config/fob/x was not read: Not a directory"
    assert (found[0]["why"], found[0]["fix"], len(found)) == (why, None, 5)
    assert fob(tmp_path, "--json", "--fix", "--yes") == 0
    assert json.loads(capsys.readouterr().out)["fixed"] == ["the file is not there"]
    assert looked_at.exists()
