"""`fob doctor --fix`: every remedy shown before it is applied, each mends what it is for, root's are only named."""

import grp
import json
import os
import shlex
import socket
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from fob_daemon.cli import doctor
from fob_daemon.cli.changes.change import make_all
from fob_daemon.cli.checks.bluez import _adapters
from fob_daemon.cli.checks.configuration import check_configuration
from fob_daemon.cli.checks.daemon import check_daemon
from fob_daemon.cli.checks.finding import Finding, Machine, Outcome
from fob_daemon.cli.checks.fix import Run
from fob_daemon.cli.checks.git import check_git
from fob_daemon.cli.checks.p11_kit import check_module_file
from fob_daemon.cli.checks.serial_lines import check_modem_manager
from fob_daemon.cli.checks.service import check_service
from fob_daemon.cli.checks.sockets import check_sockets
from fob_daemon.cli.checks.ssh import check_ssh
from fob_daemon.cli.context import Fob
from fob_daemon.cli.git_signing.files import program_text, signers_text
from fob_daemon.cli.git_signing.git import Git
from fob_daemon.cli.git_signing.plan import Signing, enabling
from fob_daemon.cli.git_signing.record import Record
from fob_daemon.cli.git_signing.scope import global_scope
from fob_daemon.cli.main import run
from fob_daemon.cli.setting_up.systemd import SOCKETS, udev_rule
from fob_daemon.control.errors import ControlError
from fob_daemon.p11_kit import module_path
from support.required import check_program

OK, WARN, FAIL, SKIP = Outcome.OK, Outcome.WARN, Outcome.FAIL, Outcome.SKIP
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHayIlIqMQMQfJFWEHMtdb7PITT3kBY8Z/ojL69VrOLK"

Check = Callable[[Machine], Iterator[Finding]]


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A new user's, whose daemon runs and has no phone; systemd runs too."""
    (tmp_path / "run/systemd/system").mkdir(parents=True)
    environment = {"HOME": str(tmp_path), "PATH": os.environ["PATH"], "GIT_CONFIG_NOSYSTEM": "1"}
    environment["XDG_STATE_HOME"] = str(tmp_path / "state")
    control, provider, agent = (tmp_path / f"{name}.sock" for name in ("control", "provider", "agent"))
    status = {"version": "0.1.0", "pid": 77, "agent_logged_in": False, "hci": "", "devices": []}
    return Machine(environment, 1000, tmp_path, control, provider, agent, status)


@pytest.fixture
def agent(machine: Machine) -> Iterator[None]:
    """Somebody listens for ssh."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(machine.agent))
        listener.listen()
        yield


def trouble(check: Check, machine: Machine) -> Finding:
    """The one that can be mended."""
    (found,) = (finding for finding in check(machine) if finding.is_trouble and finding.fix)
    return found


def mended(check: Check, machine: Machine) -> list[Outcome]:
    """What the check says after its remedy."""
    found = trouble(check, machine)
    assert found.fix is not None
    assert all(found.fix.lines)
    found.fix.apply()
    return [finding.outcome for finding in check(machine)]


def test_the_module_file(machine: Machine) -> None:
    path = module_path(machine.uid, machine.environment, machine.root)
    fix = trouble(check_module_file, machine).fix
    assert fix is not None
    assert fix.lines[0] == f"write {path}"
    assert mended(check_module_file, machine) == [OK]
    moved = replace(machine, provider=machine.root / "elsewhere.sock")
    assert mended(check_module_file, moved) == [OK]


def test_a_module_file_that_is_somebody_else_s_stays(machine: Machine) -> None:
    path = module_path(machine.uid, machine.environment, machine.root)
    path.parent.mkdir(parents=True)
    path.write_text("module: other.so\n")
    (found,) = check_module_file(machine)
    assert (found.outcome, found.next, found.fix) == (WARN, "move it away, and then: fob p11 install", None)
    path.write_text("")
    assert mended(check_module_file, machine) == [OK]


@pytest.mark.parametrize("mode", [0o666, 0o660, 0o606, 0o777])
def test_a_socket_that_is_open_to_others_is_its_owner_s_again(machine: Machine, agent: None, mode: int) -> None:
    machine.agent.chmod(mode)
    found = trouble(check_sockets, machine)
    assert (found.next, found.fix) == (f"chmod 600 {machine.agent}", Run(("chmod", "600", str(machine.agent))))
    assert found.fix is not None
    found.fix.apply()
    assert stat.S_IMODE(machine.agent.stat().st_mode) == 0o600


def test_the_machine_s_sockets_are_for_its_group_and_no_others(
    machine: Machine, agent: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    group = grp.getgrgid(machine.agent.stat().st_gid)
    monkeypatch.setattr(
        grp, "getgrgid", lambda number: {group.gr_gid: grp.struct_group(("fob", "x", number, []))}[number]
    )
    machine.agent.chmod(0o660)
    assert not [finding for finding in check_sockets(machine) if "open to other users" in finding.what]
    machine.agent.chmod(0o666)
    assert trouble(check_sockets, machine).next == f"chmod 660 {machine.agent}"


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


OTHERS = {"user.signingKey": f"key::{KEY}AAAA", "gpg.format": "openpgp", "gpg.ssh.program": "/usr/bin/ssh-keygen"}


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


def test_an_adapter_that_is_off() -> None:
    off, blocked = ({"/org/bluez/hci0": {"Powered": False, "PowerState": state}} for state in ("off", "off-blocked"))
    assert [finding.fix for finding in _adapters(off)] == [Run(("bluetoothctl", "power", "on"))]
    assert [finding.fix for finding in _adapters(blocked)] == [Run(("rfkill", "unblock", "bluetooth"))]


def test_what_needs_root_is_named_in_full(machine: Machine) -> None:
    proc = machine.root / "proc/1"
    proc.mkdir(parents=True)
    (proc / "comm").write_text("ModemManager\n")
    phone = {"name": "pixel", "url": "serial:/dev/ttyUSB0", "lines": []}
    (found,) = check_modem_manager(replace(machine, status={"devices": [phone]}))
    assert (found.needs_root, found.fix) == (True, None)
    assert udev_rule().exists()
    assert str(udev_rule()) in found.next


@pytest.mark.parametrize(
    ("command", "why"),
    [
        (("false",), "false: it ended with 1"),
        (("ls", "/no/such/folder"), "ls: ls: cannot access '/no/such/folder': No such file or directory"),
        (("no-such-program-at-all",), "no-such-program-at-all: No such file or directory"),
    ],
)
def test_a_command_that_fails_says_why(command: tuple[str, ...], why: str) -> None:
    with pytest.raises(ControlError) as caught:
        Run(command).apply()
    assert caught.value.why == why


# The program: checks of the test's own, so that nothing of this machine is touched.


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
