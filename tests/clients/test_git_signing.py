"""`fob git` with a real phone: stock git signs from any shell, checks it, says what it waits for, and is put back."""

import fcntl
import os
import subprocess
import termios
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.live import Live, live_phone
from support.required import check_program

EMAIL = "ada@example.org"
RULES = """
[[approval]]
key = "RSA-2048"
namespace = "git"
answer = "deny"
[[approval]]
key = "P-256"
namespace = "git"
after = 2.5
"""
REMINDER = "Look at your phone: git waits for a signature."


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """A phone that signs with Ed25519 at once, with P-256 after a while, and with RSA no commit."""
    check_program("git")
    with live_phone(tmp_path_factory.mktemp("git"), rules=RULES) as phone:
        (phone.folder / ".gitconfig").write_text(f"[user]\n  name=Ada\n  email={EMAIL}\n")
        phone.run("git", "init", "-q", str(phone.folder / "repository"))
        yield phone


@pytest.fixture
def enabled(live: Live, request: pytest.FixtureRequest) -> Iterator[str]:
    """git signs with a key, and then does not any more."""
    before = (live.folder / ".gitconfig").read_bytes()
    key = str(getattr(request, "param", "Ed25519"))
    fob(live, "git", "enable", "--yes", "--key", key)
    yield key
    fob(live, "git", "disable")
    assert (live.folder / ".gitconfig").read_bytes() == before


def fob(live: Live, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[bytes]:
    """With a state folder of its own: root's would be the machine's."""
    return live.run("fob", *arguments, check=check, XDG_STATE_HOME=str(live.folder / "state"))


def in_repository(live: Live, *command: str) -> subprocess.CompletedProcess[str]:
    """git as a program finds it that has nothing of the person's shell: no agent, no terminal."""
    environment = {name: value for name, value in live.environment.items() if name != "SSH_AUTH_SOCK"}
    environment["XDG_STATE_HOME"] = str(live.folder / "state")
    return subprocess.run(
        command,
        cwd=live.folder / "repository",
        env=environment,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def test_a_commit_is_signed_from_any_shell(live: Live, enabled: str) -> None:
    done = in_repository(live, "git", "commit", "-q", "--allow-empty", "-m", "One")
    assert (done.returncode, done.stderr) == (0, "")
    shown = in_repository(live, "git", "log", "-1", "--format=%G? %GS")
    assert shown.stdout == f"G {EMAIL}\n"
    assert in_repository(live, "git", "verify-commit", "HEAD").returncode == 0


def test_the_proof(live: Live, enabled: str) -> None:
    done = in_repository(live, "fob", "git", "test")
    assert (done.returncode, done.stdout.split(" with ")[0]) == (0, f'Good "git" signature for {EMAIL}'), done.stderr
    log = live.run("fob", "log", "-n", "1").stdout.decode()
    assert "sign for git" in log


@pytest.mark.parametrize("enabled", ["Ed25519", "P-256"], indirect=True)
def test_a_signature_leaves_no_file(live: Live, enabled: str, tmp_path: Path) -> None:
    folder = f"TMPDIR={tmp_path}"
    for command in ("git commit -q --allow-empty -m Five", "git verify-commit HEAD", "fob git test"):
        done = in_repository(live, "env", folder, *command.split())
        assert (done.returncode, list(tmp_path.iterdir())) == (0, []), done.stderr


@pytest.mark.parametrize("enabled", ["RSA-2048"], indirect=True)
def test_a_no_on_the_phone(live: Live, enabled: str) -> None:
    done = in_repository(live, "fob", "git", "test")
    assert done.returncode == 5
    assert "why:   the person said no on the phone (CKR_FUNCTION_REJECTED)" in done.stderr
    assert in_repository(live, "git", "commit", "-q", "--allow-empty", "-m", "Two").returncode != 0


def test_a_phone_that_is_away_is_named(live: Live, enabled: str) -> None:
    live.kill_phone()
    live.await_state("away")
    done = in_repository(live, "fob", "git", "test")
    live.start_phone()
    assert done.returncode == 4
    assert f"why:   '{live.device()['name']}' has the key, and is away: " in done.stderr


def test_commits_of_an_earlier_key_stay_good_in_a_list_of_one_s_own(live: Live) -> None:
    signers = live.folder / "signers"
    signers.write_text("bob@example.org ssh-ed25519 AAAA\n")
    live.run("git", "config", "--global", "gpg.ssh.allowedSignersFile", str(signers))
    for key in ("Ed25519", "P-256"):
        fob(live, "git", "enable", "--yes", "--key", key)
        assert in_repository(live, "git", "commit", "-q", "--allow-empty", "-m", key).returncode == 0
    shown = in_repository(live, "git", "log", "-2", "--format=%G? %s").stdout
    fob(live, "git", "disable")
    live.run("git", "config", "--global", "--unset", "gpg.ssh.allowedSignersFile")
    assert (shown, signers.read_text()) == ("G P-256\nG Ed25519\n", "bob@example.org ssh-ed25519 AAAA\n")


@pytest.mark.parametrize("enabled", ["P-256"], indirect=True)
def test_what_it_waits_for_is_said(live: Live, enabled: str) -> None:
    done = in_repository(live, "fob", "git", "test")
    assert done.returncode == 0
    assert "Look at your phone: sign a git commit with 'P-256' for " in done.stderr


@pytest.mark.parametrize(("enabled", "reminders"), [("P-256", 1), ("Ed25519", 0)], indirect=["enabled"])
def test_git_itself_says_so_at_the_terminal(live: Live, enabled: str, reminders: int) -> None:
    assert on_a_terminal(live, "git", "commit", "-q", "--allow-empty", "-m", "Three").count(REMINDER) == reminders


def on_a_terminal(live: Live, *command: str) -> str:
    """What a person sees."""
    master, slave = os.openpty()
    try:
        done = subprocess.run(
            command, cwd=live.folder / "repository", env=live.environment, stdin=slave, stdout=slave, stderr=slave,
            start_new_session=True, preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0), timeout=30, check=False,
        )  # fmt: skip
        assert done.returncode == 0
        os.set_blocking(master, False)
        try:
            return os.read(master, 65_536).decode()
        except BlockingIOError:
            return ""
    finally:
        os.close(master)
        os.close(slave)


def test_one_repository_alone(live: Live) -> None:
    config = live.folder / "repository/.git/config"
    before = config.read_bytes()
    assert in_repository(live, "fob", "git", "enable", "--local", "--yes", "--key", "Ed25519").returncode == 0
    assert in_repository(live, "fob", "git", "test").returncode == 0
    assert fob(live, "git", "test", check=False).returncode == 1, "elsewhere nothing has changed"
    assert in_repository(live, "fob", "git", "disable", "--local").returncode == 0
    assert config.read_bytes() == before
    assert not list(Path(config.parent).glob("fob-*"))
