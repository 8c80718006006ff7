"""ssh that does not ask the agent: found, mended, and what is left to a person."""

import shlex
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from fob_daemon.cli.checks.finding import Machine
from fob_daemon.cli.checks.ssh import check_ssh
from support.remedies import FAIL, OK, SKIP, WARN, mended, trouble
from support.required import check_program


def test_ssh(machine: Machine, agent: None) -> None:
    check_program("ssh")
    assert trouble(check_ssh, machine).why == "it asks no agent"
    other = replace(machine, environment={**machine.environment, "SSH_AUTH_SOCK": "/other/agent"})
    assert trouble(check_ssh, other).why == "it asks /other/agent"
    assert mended(check_ssh, machine) == [OK]
    assert [finding.outcome for finding in check_ssh(other)] == [OK]


def test_ssh_by_its_variable_and_without_a_daemon(machine: Machine, agent: None) -> None:
    variable = {"SSH_AUTH_SOCK": str(machine.agent)}
    ours = replace(machine, environment={**machine.environment, **variable})
    assert [finding.outcome for finding in check_ssh(ours)] == [OK]
    machine.agent.unlink()
    assert [finding.outcome for finding in check_ssh(machine)] == [SKIP]


def configured(machine: Machine, text: str) -> Path:
    path = machine.root / ".ssh/config"
    path.parent.mkdir()
    path.write_text(text)
    return path


@pytest.mark.parametrize("listens", [True, False])
def test_a_configuration_that_ssh_rejects(machine: Machine, listens: bool) -> None:
    check_program("ssh")
    config = configured(machine, "Nonsense yes\nHost a\n    User ada\n")
    if listens:
        machine.agent.touch()
    (found,) = check_ssh(machine)
    assert (found.outcome, found.what, found.fix) == (FAIL, "ssh does not take its configuration", None)
    assert found.why == (
        f"{config}: line 1: Bad configuration option: nonsense; {config}: terminating, 1 bad configuration options"
    )
    assert found.next == f"ssh -F {config} -G localhost"
    assert subprocess.run(shlex.split(found.next), capture_output=True, check=False).returncode == 255


def test_a_configuration_that_ssh_has_much_to_say_of(machine: Machine) -> None:
    check_program("ssh")
    configured(machine, "Nonsense yes\n" * 1000)
    (found,) = check_ssh(machine)
    assert found.why.count("Bad configuration option") == 3


def test_no_name_is_looked_up_to_ask_ssh(machine: Machine) -> None:
    check_program("ssh")
    configured(machine, "CanonicalizeHostname always\nCanonicalizeFallbackLocal no\nCanonicalDomains invalid\n")
    assert [finding.what for finding in check_ssh(machine)] == ["ssh"]


def test_no_ssh_and_one_that_never_ends(machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (found,) = check_ssh(replace(machine, environment={**machine.environment, "PATH": str(tmp_path)}))
    assert (found.outcome, found.why) == (SKIP, "it is not installed")

    def hang(*_: object) -> None:
        raise subprocess.TimeoutExpired("ssh", 10.0)

    monkeypatch.setattr("fob_daemon.cli.checks.ssh.run_program", hang)
    (found,) = check_ssh(machine)
    assert (found.outcome, found.what) == (WARN, "ssh does not end when it is asked for its configuration")
    assert found.next == "ssh -F /dev/null -G localhost"
