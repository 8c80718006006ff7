"""`fob setup` in a home of its own, held against the programs that it is for."""

import json
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from fob_daemon.cli.context import Fob
from fob_daemon.cli.main import run
from support.required import check_program

# Somebody other than root, whose own configuration p11-kit does not read.
NOBODY = pwd.getpwnam("nobody").pw_uid if os.getuid() == 0 else os.getuid()


# In a home's environment: none runs.
WITHOUT_SYSTEMD = "WITHOUT_SYSTEMD"


@dataclass
class Home:
    """A new user's, without a daemon. `shell` is the one that they log in with."""

    folder: Path
    capsys: pytest.CaptureFixture[str]
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def agent(self) -> str:
        return f"{self.folder}/run/fob/agent.sock"

    def variables(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "XDG_RUNTIME_DIR": str(self.folder / "run"),
            "XDG_STATE_HOME": str(self.folder / "state"),
            "GIT_CONFIG_NOSYSTEM": "1",
            "SHELL": "/bin/bash",
            **self.environment,
        }

    def fob(self, *arguments: str) -> tuple[int, str, str]:
        """In this process: root's files would be the machine's. The exit code, what was printed and what was said."""
        code = run(arguments, Fob(self.variables()))
        return code, *self.capsys.readouterr()

    def files(self) -> dict[str, str]:
        """All that there is, links with their ends, but for what fob keeps for itself."""
        return {
            str(path.relative_to(self.folder)): f"-> {path.readlink()}" if path.is_symlink() else path.read_text()
            for path in sorted(self.folder.rglob("*"))
            if (path.is_symlink() or path.is_file()) and not path.is_relative_to(self.folder / "state")
        }

    def folders(self) -> set[str]:
        """All that there are."""
        return {str(path.relative_to(self.folder)) for path in self.folder.rglob("*") if path.is_dir()}

    def run(self, *command: str) -> str:
        """A real program as its user; what it prints."""
        check_program(command[0])
        program = shutil.which(command[0], path="/usr/bin:/bin:/usr/sbin") or command[0]
        done = subprocess.run(
            (program, *command[1:]), env=self.variables(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, timeout=30, user=NOBODY, cwd="/", check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout
        return done.stdout


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Home]:
    """Outside pytest's folder, which is closed to other users."""
    monkeypatch.setattr(os, "getuid", lambda: 1000)
    monkeypatch.setattr(sys, "stdin", None)
    # Whatever runs where the tests run.
    monkeypatch.setattr("fob_daemon.cli.setup.has_systemd", lambda environment: WITHOUT_SYSTEMD not in environment)
    with tempfile.TemporaryDirectory(prefix="fob-home-") as folder:
        path = Path(folder)
        path.chmod(0o755)
        (path / "run").mkdir()
        yield Home(path, capsys)


def open_to_all(folder: Path) -> None:
    for path in folder.rglob("*"):
        if path.is_dir():
            path.chmod(0o777)


ALL = {
    ".bashrc",
    ".config/fob/fobd.toml",
    ".config/pkcs11/modules/fob.module",
    ".config/systemd/user/fobd-agent.socket",
    ".config/systemd/user/fobd-control.socket",
    ".config/systemd/user/fobd-provider.socket",
    ".config/systemd/user/fobd.service",
    ".config/systemd/user/sockets.target.wants/fobd-agent.socket",
    ".config/systemd/user/sockets.target.wants/fobd-control.socket",
    ".config/systemd/user/sockets.target.wants/fobd-provider.socket",
    ".ssh/config",
    ".ssh/fob.conf",
}


def test_every_file_is_shown_whole_before_anything_is_written(home: Home) -> None:
    code, out, err = home.fob("setup")
    assert (code, out, home.files()) == (2, "", {})
    assert "nobody answered" in err
    shown = home.fob("setup", "--dry-run")
    assert (shown[0], shown[1], home.files()) == (0, "", {})
    home.fob("setup", "--yes")
    for path, text in home.files().items():
        if not text.startswith("->"):
            assert f"{home.folder}/{path}" in shown[2]
        assert all(line in shown[2] for line in text.splitlines() if not line.startswith(("# >>>", "->")))


def test_once_and_then_there_is_nothing_to_do(home: Home) -> None:
    code, out, err = home.fob("setup", "--yes")
    assert (code, out) == (0, "")
    assert err.endswith("Done.    to go back: fob setup --undo\ntry:   fob doctor\n")
    assert "systemd listens for the daemon from your next log-in on" in err
    written = home.files()
    assert set(written) == ALL
    code, _, err = home.fob("setup", "--yes")
    assert (code, home.files()) == (7, written)
    assert "why:   every file is as it should be, or not fob's to change" in err


def test_where_no_systemd_runs_none_is_promised(home: Home) -> None:
    home.fob("setup", "--yes")
    units = {name for name in ALL if "systemd" in name}
    assert units < set(home.files())
    home.environment[WITHOUT_SYSTEMD] = "1"
    assert home.fob("setup", "--undo")[0] == 0, "also what was written while one ran"
    assert home.files() == {}

    code, _, err = home.fob("setup", "--yes")
    assert (code, set(home.files())) == (0, ALL - units - {".config/fob/fobd.toml"})
    said = [line for line in err.splitlines() if "systemd" in line]
    why = "left out: systemd, as none runs here: nothing starts the daemon but you.    try: fobd &    (at each log-in)"
    assert said == [why]
    assert "systemd" not in home.fob("setup", "--yes", "--without", "systemd")[2]


def test_undone_nothing_is_left_and_what_was_there_is_as_it_was(home: Home) -> None:
    (home.folder / ".bashrc").write_text("alias ll='ls -l'")
    (home.folder / ".ssh").mkdir(mode=0o700)
    (home.folder / ".ssh/config").write_text("Host old\n    User ada")
    before = home.files()
    assert home.fob("setup", "--yes")[0] == 0
    assert home.fob("setup", "--undo")[0] == 0
    assert home.files() == before
    assert home.fob("setup", "--undo")[0] == 7


@pytest.mark.parametrize("is_folder_there", [True, False])
def test_a_link_that_leads_nowhere_stays_and_leads_nowhere_again(home: Home, is_folder_there: bool) -> None:
    config, folder = home.folder / ".ssh/config", home.folder / "dot"
    config.parent.mkdir(mode=0o700)
    config.symlink_to("../dot/none")
    if is_folder_there:
        folder.mkdir()
    assert home.fob("setup", "--yes")[0] == 0
    assert "Include" in (folder / "none").read_text()
    assert home.fob("setup", "--undo", "--yes")[0] == 0
    assert home.files() == {".ssh/config": "-> ../dot/none"}
    assert folder.exists() is is_folder_there
    assert home.fob("setup", "--undo", "--yes")[0] == 7


def test_a_link_that_leads_to_itself_is_refused_before_anything_is_written(home: Home) -> None:
    config = home.folder / ".ssh/config"
    config.parent.mkdir(mode=0o700)
    config.symlink_to("config")
    code, _, err = home.fob("setup", "--yes")
    assert (code, home.files()) == (1, {".ssh/config": "-> config"})
    assert f"{config} was not read" in err


@pytest.mark.parametrize("there", [(), (".config", ".ssh"), (".config/systemd/user", ".config/fob", "state/fob")])
def test_the_folders_that_it_made_go_and_no_others(home: Home, there: tuple[str, ...]) -> None:
    for name in there:
        (home.folder / name).mkdir(parents=True)
    before = home.folders()
    home.fob("setup", "--yes")
    home.fob("setup", "--yes", "--hosts", "github.com")
    assert home.folders() > before
    code, _, err = home.fob("setup", "--undo")
    assert (code, home.folders()) == (0, before)
    assert f"removed {home.folder}/.config/pkcs11/modules." in err.splitlines()


def test_a_folder_that_somebody_uses_stays_until_it_is_empty(home: Home) -> None:
    home.fob("setup", "--yes")
    other = home.folder / ".config/systemd/user/own.service"
    other.write_text("[Unit]\n")
    home.fob("setup", "--undo")
    assert home.folders() == {"run", "state", "state/fob", ".config", ".config/systemd", ".config/systemd/user"}
    other.unlink()
    assert home.fob("setup", "--undo")[0] == 0
    assert home.folders() == {"run"}
    assert home.fob("setup", "--undo")[0] == 7


def test_somebody_else_s_files_stay(home: Home) -> None:
    module = home.folder / ".config/pkcs11/modules/fob.module"
    unit = home.folder / ".config/systemd/user/fobd.service"
    for path in (module, unit):
        path.parent.mkdir(parents=True)
        path.write_text("mine\n")
    code, _, err = home.fob("setup", "--yes")
    assert (code, module.read_text(), unit.read_text()) == (0, "mine\n", "mine\n")
    assert f"kept: write {module} would put away what is there, and fob did not write it" in err
    assert home.fob("setup", "--undo")[0] == 0
    assert set(home.files().values()) == {"mine\n"}


def test_nothing_leads_to_somebody_else_s_file(home: Home) -> None:
    for name in (".ssh/fob.conf", ".config/systemd/user/fobd.service"):
        path = home.folder / name
        path.parent.mkdir(parents=True)
        path.write_text("mine\n")
    code, _, err = home.fob("setup", "--yes")
    assert code == 0
    assert f"left out: add to the end of {home.folder}/.ssh/config, as it would lead to a file" in err
    assert not [name for name in home.files() if name == ".ssh/config" or ".wants/" in name]
    assert "systemd" not in err.splitlines()[-2]


def test_a_home_that_ssh_cannot_be_told_of(home: Home) -> None:
    home.environment["HOME"] = f'{home.folder}/a"b'
    code, _, err = home.fob("setup", "--yes")
    assert (code, home.files()) == (1, {})
    assert err.endswith("try:   fob setup --without ssh\n")
    assert home.fob("setup", "--yes", "--without", "ssh")[0] == 0


def test_the_configuration_of_the_daemon_is_the_person_s(home: Home) -> None:
    path = home.folder / ".config/fob/fobd.toml"
    path.parent.mkdir(parents=True)
    path.write_text("[sockets]\nallowed_uids = [1]\n")
    home.fob("setup", "--yes")
    home.fob("setup", "--undo")
    assert path.read_text() == "[sockets]\nallowed_uids = [1]\n"


@pytest.mark.parametrize("part", ["p11-kit", "ssh", "systemd", "shell"])
def test_parts_can_be_left_out(home: Home, part: str) -> None:
    assert home.fob("setup", "--yes", "--without", part)[0] == 0
    missing = ALL - set(home.files())
    names = {"p11-kit": "modules", "ssh": ".ssh", "systemd": "fob", "shell": ".bashrc"}
    assert missing
    assert all(names[part] in name for name in missing)


@pytest.mark.parametrize(
    ("shell", "name"),
    [
        ("/bin/zsh", ".zshenv"),
        ("/usr/bin/fish", ".config/fish/conf.d/fob.fish"),
        ("/bin/dash", ".profile"),
        ("", ".profile"),
    ],
)
def test_each_shell_has_a_file_of_its_own(home: Home, shell: str, name: str) -> None:
    home.environment["SHELL"] = shell
    home.fob("setup", "--yes")
    assert set(home.files()) - ALL == {name}
    assert home.agent in home.files()[name]


@pytest.mark.parametrize("now", ["/bin/bash", "/usr/bin/zsh", "/usr/bin/fish", "/bin/dash", ""])
def test_what_was_written_for_another_shell_is_taken_back_too(home: Home, now: str) -> None:
    (home.folder / ".zshenv").write_text("umask 077\n")
    files, folders = home.files(), home.folders()
    for shell in ("/usr/bin/zsh", "/usr/bin/fish", "/bin/dash", "/bin/bash"):
        home.environment["SHELL"] = shell
        assert home.fob("setup", "--yes")[0] == 0
    assert set(home.files()) - ALL == {".zshenv", ".profile", ".config/fish/conf.d/fob.fish"}
    home.environment["SHELL"] = now
    assert home.fob("setup", "--undo", "--yes")[0] == 0
    assert (home.files(), home.folders()) == (files, folders)
    assert home.fob("setup", "--undo", "--yes")[0] == 7


@pytest.mark.parametrize("then", ["", "zsh"])
def test_zsh_s_file_is_found_again_in_its_folder_and_in_the_home(home: Home, then: str) -> None:
    home.environment |= {"SHELL": "/bin/zsh", "ZDOTDIR": then}
    home.fob("setup", "--yes")
    assert f"{then}/.zshenv".lstrip("/") in home.files()
    home.environment |= {"SHELL": "/bin/bash", "ZDOTDIR": "zsh"}
    assert home.fob("setup", "--undo")[0] == 0
    assert (home.files(), home.folders()) == ({}, {"run"})


@pytest.mark.parametrize("shell", ["bash", "dash"])
def test_shells_set_the_agent_where_there_is_no_other(home: Home, shell: str) -> None:
    home.environment["SHELL"] = f"/bin/{shell}"
    home.fob("setup", "--yes")
    open_to_all(home.folder)
    file = home.folder / (".bashrc" if shell == "bash" else ".profile")
    ask = f". {file}; echo $SSH_AUTH_SOCK; sh -c 'echo $SSH_AUTH_SOCK'"
    assert home.run(shell, "-c", ask) == f"{home.agent}\n{home.agent}\n"
    home.environment["SSH_AUTH_SOCK"] = "/other/agent"
    assert home.run(shell, "-c", ask) == "/other/agent\n/other/agent\n"


def identity_agent(home: Home, host: str) -> list[str]:
    """What ssh would ask. As this user: ssh wants the file to be its user's own."""
    done = subprocess.run(
        ["ssh", "-G", "-F", str(home.folder / ".ssh/config"), host],
        env=home.variables(), capture_output=True, text=True, check=True,
    )  # fmt: skip
    return [line.split()[1] for line in done.stdout.splitlines() if line.startswith("identityagent ")]


def test_ssh_asks_the_phone_where_somebody_listens_and_the_person_has_not_said_otherwise(home: Home) -> None:
    check_program("ssh")
    (home.folder / ".ssh").mkdir(mode=0o700)
    (home.folder / ".ssh/config").write_text("Host own\n    IdentityAgent /other/agent\nHost last\n    User ada")
    home.fob("setup", "--yes")
    assert identity_agent(home, "build.example") == [], "nobody listens"
    Path(home.agent).parent.mkdir()
    subprocess.run(["python3", "-c", f"import socket; socket.socket(socket.AF_UNIX).bind({home.agent!r})"], check=True)
    assert identity_agent(home, "build.example") == [home.agent]
    assert identity_agent(home, "last") == [home.agent]
    assert identity_agent(home, "own") == ["/other/agent"]

    assert home.fob("setup", "--yes", "--hosts", "github.com,*.example")[0] == 0
    assert identity_agent(home, "build.example") == [home.agent]
    assert identity_agent(home, "elsewhere.test") == []


@pytest.mark.parametrize("hosts", ['*" exec "rm -r', "a b", "", "a\nb", "%h"])
def test_no_pattern_is_more_than_a_pattern(home: Home, hosts: str) -> None:
    assert home.fob("setup", "--yes", "--hosts", hosts)[0] == 2
    assert home.files() == {}


def test_p11_kit_finds_the_module(home: Home) -> None:
    home.fob("setup", "--yes")
    open_to_all(home.folder)
    listed = home.run("p11-kit", "list-modules")
    assert any(line.startswith(("fob:", "module: fob")) for line in listed.splitlines()), listed


def test_the_units_are_sound_and_start_this_program(home: Home) -> None:
    home.fob("setup", "--yes")
    open_to_all(home.folder)
    folder = home.folder / ".config/systemd/user"
    units = [str(path) for path in sorted(folder.glob("fobd*"))]
    assert home.run("systemd-analyze", "verify", "--user", *units) == ""
    service = (folder / "fobd.service").read_text()
    assert f"ExecStart={shutil.which('fobd', path=str(Path(sys.executable).parent))} --config" in service


def test_an_agent_that_is_in_use_is_named(home: Home) -> None:
    home.environment["SSH_AUTH_SOCK"] = "/run/user/1000/keyring/ssh"
    assert "ssh asks another agent now, /run/user/1000/keyring/ssh" in home.fob("setup", "--dry-run")[2]
    home.environment["SSH_AUTH_SOCK"] = home.agent
    assert "another agent" not in home.fob("setup", "--dry-run")[2]


def test_for_a_script(home: Home) -> None:
    code, out, _ = home.fob("setup", "--dry-run", "--json", "--without", "systemd")
    changes = json.loads(out)["changes"]
    assert (code, {change["standing"] for change in changes}) == (0, {"due"})
    module = home.folder / ".config/pkcs11/modules/fob.module"
    assert changes[0] == {
        "what": f"write {module}",
        "standing": "due",
        "content": [
            "# Fob: the phone's keys for every program that uses p11-kit.",
            f"remote: unix:path={home.folder}/run/fob/provider.sock",
        ],
    }
    assert json.loads(home.fob("setup", "--yes", "--json", "--without", "systemd")[1])["changes"] == changes
    assert f"removed {module}" in json.loads(home.fob("--json", "setup", "--undo")[1])["undone"]


def test_git_needs_the_daemon(home: Home) -> None:
    assert home.fob("setup", "--git", "--yes")[0] == 3
    assert home.files() == {}
