"""git that does not sign with the phone, or not as it was set up: found and mended."""

import os
import shlex
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from fob_daemon.cli.changes.change import make_all
from fob_daemon.cli.checks.finding import Machine
from fob_daemon.cli.checks.git import check_git
from fob_daemon.cli.git_signing.files import program_text, signers_text
from fob_daemon.cli.git_signing.git import Git
from fob_daemon.cli.git_signing.plan import Signing, enabling
from fob_daemon.cli.git_signing.record import Record
from fob_daemon.cli.git_signing.scope import global_scope
from support.remedies import FAIL, OK, SKIP, WARN, mended
from support.required import check_program

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHayIlIqMQMQfJFWEHMtdb7PITT3kBY8Z/ojL69VrOLK"
OTHERS = {"user.signingKey": f"key::{KEY}AAAA", "gpg.format": "openpgp", "gpg.ssh.program": "/usr/bin/ssh-keygen"}


def configure(machine: Machine, **settings: str) -> None:
    for name, value in settings.items():
        where = ("--file", str(machine.root / ".gitconfig"))
        subprocess.run(["git", "config", *where, name.replace("_", "."), value], check=True)


def test_git_that_is_not_asked_to_sign(machine: Machine) -> None:
    check_program("git")
    (found,) = check_git(machine)
    assert (found.outcome, found.next) == (SKIP, "fob git enable")
    configure(machine, gpg_format="ssh")
    (found,) = check_git(machine)
    assert (found.outcome, found.why) == (SKIP, "it signs with ssh keys, and not by the phone's agent")
    ours = replace(machine, environment={**machine.environment, "SSH_AUTH_SOCK": str(machine.agent)})
    assert [finding.outcome for finding in check_git(ours)] == [OK]


@pytest.fixture
def repository(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the person stands, when `fob git enable` was run."""
    check_program("git")
    (machine.root / ".gitconfig").write_text("[user]\n\temail = ada@example.org\n")
    path = machine.root / "repository"
    subprocess.run(["git", "init", "-q", str(path)], check=True)
    (path / "below").mkdir()
    monkeypatch.chdir(path / "below")
    git = Git({**os.environ, **machine.environment}, path)
    signing = Signing(KEY, str(machine.agent), every_commit=True)
    make_all(enabling(git, global_scope(git.environment), Record(machine.root / "state/fob"), signing))
    return path


def signers_of(machine: Machine) -> Path:
    return machine.root / ".local/share/fob/fob-allowed-signers"


def test_what_git_needs_and_does_not_find(machine: Machine, repository: Path) -> None:
    program, signers = signers_of(machine).with_name("fob-ssh-keygen"), signers_of(machine)
    assert [finding.outcome for finding in check_git(machine)] == [OK, OK]
    program.unlink()
    signers.unlink()
    assert [finding.outcome for finding in check_git(machine)] == [FAIL, WARN]
    for finding in check_git(machine):
        assert finding.fix is not None
        finding.fix.apply()
    assert [finding.outcome for finding in check_git(machine)] == [OK, OK]
    assert program.read_text() == program_text(str(machine.agent))
    assert signers.read_text() == signers_text("ada@example.org", KEY)

    moved = replace(machine, agent=machine.root / "moved.sock")
    assert [finding.outcome for finding in check_git(moved)] == [WARN, OK]
    assert mended(check_git, moved) == [OK, OK]
    program.chmod(0o644)
    assert next(check_git(moved)).why == f"{program} may not be run"
    assert mended(check_git, moved) == [OK, OK]


@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.parametrize("where", ["repository", "worktree", "environment", "include", "later"])
def test_what_git_goes_by_in_place_of_what_fob_has_set(
    machine: Machine, repository: Path, monkeypatch: pytest.MonkeyPatch, name: str, where: str
) -> None:
    value = OTHERS[name]
    file = {
        "repository": repository / ".git/config",
        "worktree": repository / ".git/config.worktree",
        "include": machine.root / "other",
        "later": machine.root / ".gitconfig",
    }.get(where)
    if where == "worktree":
        subprocess.run(["git", "config", "extensions.worktreeConfig", "true"], check=True)
    if where == "include":
        configure(machine, include_path="other")
    if file is not None:
        subprocess.run(["git", "config", "--file", str(file), name, value], check=True)
        origin, remedy = str(file), f"git config --file {file} --unset-all {name}"
    else:
        for variable, text in {"COUNT": "1", "KEY_0": name, "VALUE_0": value}.items():
            monkeypatch.setenv(f"GIT_CONFIG_{variable}", text)
        origin = "the environment (GIT_CONFIG_COUNT or GIT_CONFIG_PARAMETERS)"
        remedy = "unset GIT_CONFIG_COUNT GIT_CONFIG_PARAMETERS"

    (found,) = check_git(machine)

    assert (found.outcome, found.what, found.fix) == (WARN, "git does not sign here as fob has set it up", None)
    assert found.why == f"{origin} has another {name}, {shlex.quote(value)}, which counts"
    assert found.next.startswith(f"{remedy}    (or leave it")


def test_settings_that_git_does_not_read_any_more(
    machine: Machine, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(machine.root / "another"))
    (found,) = check_git(machine)
    assert (found.outcome, found.why, found.next) == (
        WARN, "gpg.format is not set in any file that git reads", "fob git enable"
    )  # fmt: skip


def test_a_yes_in_other_words_is_the_same_yes(machine: Machine, repository: Path) -> None:
    subprocess.run(["git", "config", "commit.gpgSign", "on"], check=True)
    assert [finding.outcome for finding in check_git(machine)] == [OK, OK]


def test_no_key_that_is_not_fob_s_becomes_a_signer(machine: Machine, repository: Path) -> None:
    """As set by hand: fob's program and list, and a key of another agent's."""
    Record(machine.root / "state/fob").put(machine.root / ".gitconfig", None)
    before = signers_of(machine).read_text()
    configure(machine, user_signingKey=f"key::{KEY}AAAA")
    program, signers = check_git(machine)
    assert (program.outcome, signers.outcome, signers.fix, signers.next) == (OK, WARN, None, "fob git enable")
    assert signers_of(machine).read_text() == before
