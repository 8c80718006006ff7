"""A daemon that does not start: its configuration and its units, found and mended."""

import os
from dataclasses import replace

import pytest

from fob_daemon.cli.checks.configuration import check_configuration
from fob_daemon.cli.checks.daemon import check_daemon
from fob_daemon.cli.checks.finding import Machine
from fob_daemon.cli.checks.fix import Run
from fob_daemon.cli.checks.service import check_service
from fob_daemon.cli.setting_up.systemd import SOCKETS
from support.remedies import FAIL, OK, SKIP, WARN, mended, trouble
from support.required import check_program


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[timeouts]\nlogin = 0\n", "'timeouts.login': Expected `float` > 0.0"),
        ("state = \n", "Invalid value (at line 1, column 9)"),
        (
            "\n[socket]\n",
            "Object contains unknown field `socket`; known are state, sockets, timeouts, log, bluetooth, office",
        ),
    ],
)
@pytest.mark.parametrize("place", [".config/fob/fobd.toml", "etc/fob/fobd.toml"])
def test_a_configuration_with_which_the_daemon_does_not_start(
    machine: Machine, place: str, text: str, why: str
) -> None:
    assert [finding.outcome for finding in check_configuration(machine)] == [SKIP]
    file = machine.root / place
    file.parent.mkdir(parents=True)
    file.write_text(text)
    (found,) = check_configuration(replace(machine, status=None))
    assert (found.outcome, found.why, found.fix) == (FAIL, f"{file}: {why}", None)
    assert found.next == f"mend {file} (docs/configuration.md), and then: systemctl --user restart fobd"
    file.write_text("[timeouts]\nlogin = 5\n")
    assert [(found.outcome, found.why) for found in check_configuration(machine)] == [(OK, str(file))]


def test_of_a_daemon_that_runs_it_is_the_file_that_it_has_read(machine: Machine) -> None:
    own, named = machine.root / ".config/fob/fobd.toml", machine.root / "elsewhere.toml"
    own.parent.mkdir(parents=True)
    own.write_text("nonsense")
    named.write_text("[timeouts]\nlogin = 5\n")
    running = replace(machine, status={"configuration": str(named)})
    assert [(found.outcome, found.why) for found in check_configuration(running)] == [(OK, str(named))]
    named.write_text("[timeouts]\nlogin = 0\n")
    (found,) = check_configuration(running)
    assert (found.outcome, found.why) == (FAIL, f"{named}: 'timeouts.login': Expected `float` > 0.0")
    named.unlink()
    (found,) = check_configuration(running)
    assert (found.outcome, found.why) == (FAIL, f"{named} is not there any more, and the daemon that runs has read it")
    os.mkfifo(named)
    (found,) = check_configuration(running)
    assert (found.outcome, found.why) == (SKIP, f"{named}, which the daemon has read, is no file")


def test_of_a_daemon_that_runs_by_its_defaults(machine: Machine) -> None:
    own = machine.root / ".config/fob/fobd.toml"
    running = replace(machine, status={"configuration": ""})
    (found,) = check_configuration(running)
    assert (found.outcome, found.why) == (SKIP, "the daemon has read no file: the defaults hold")
    own.parent.mkdir(parents=True)
    own.write_text("")
    (found,) = check_configuration(running)
    assert (found.outcome, found.why) == (WARN, f"it goes by the defaults, and has not read {own}")
    own.write_text("nonsense")
    (found,) = check_configuration(running)
    assert found.outcome == FAIL


def test_a_configuration_that_the_unit_names_and_that_is_not_there(machine: Machine) -> None:
    mended(check_service, machine)
    file = machine.root / ".config/fob/fobd.toml"
    file.unlink()
    assert trouble(check_configuration, machine).why == f"{file} is not there, and its unit names it"
    assert mended(check_configuration, machine) == [OK]


def test_a_daemon_that_does_not_start_by_itself(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    check_program("systemd-analyze")
    assert mended(check_service, machine) == [OK]
    assert (machine.root / ".config/systemd/user/fobd.service").exists()
    without = replace(machine, environment={"HOME": str(machine.root / "new"), "PATH": str(machine.root)})
    assert [finding.outcome for finding in check_service(without)] == [SKIP]


def test_where_no_systemd_runs_none_is_promised(machine: Machine) -> None:
    mended(check_service, machine)
    (machine.root / "run/systemd/system").rmdir()
    (found,) = check_service(machine)
    assert (found.outcome, found.next, found.fix) == (WARN, "fobd &    (at each log-in)", None)
    assert found.why == "its units are in place, and no systemd runs here"
    (found,) = check_daemon(replace(machine, status=None))
    assert (found.outcome, found.next, found.fix) == (FAIL, "fobd &    (at each log-in)", None)
    old = {"version": "0.0.1", "pid": 77}
    (found,) = check_daemon(replace(machine, status=old))
    assert (found.outcome, found.next, found.fix) == (WARN, "kill 77; fobd &    (at each log-in)", None)


def test_a_daemon_of_systemd_s_is_started_again_and_no_other(machine: Machine) -> None:
    down = replace(machine, status=None)
    (found,) = check_daemon(down)
    assert (found.outcome, found.fix) == (FAIL, None)
    mended(check_service, machine)
    (found,) = check_daemon(down)
    assert found.fix == Run(("systemctl", "--user", "restart", *SOCKETS, "fobd.service"))
