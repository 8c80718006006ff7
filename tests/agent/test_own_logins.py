"""Which logins are an ssh's own: by what the kernel shows of real processes, and by the one session that each has."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from fob_daemon.agent.limits import MAX_LOGINS
from fob_daemon.agent.own_logins import OwnLogins, SshProcess, ssh_process

FIRST, SECOND = b"first session", b"second session"
PID = 4242

# What a program does with a socket; then it says that it is done and waits for its end.
LOCAL = "s = socket.socket(socket.AF_UNIX); s.setblocking({})"
NETWORK = "s = socket.socket(); s.setblocking(False)"
PAIR_AS_OUTPUT = "a, b = socket.socketpair(); a.setblocking(False); os.dup2(a.fileno(), 2); a.close(); b.close()"
FORK = "os.fork() and os._exit(os.wait()[0])"


@contextmanager
def program(does: str) -> Iterator[int]:
    """The pid of who does it."""
    script = f"import os, socket, sys\n{does}\nprint(os.getpid(), flush=True)\nsys.stdin.read()"
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", script], stdin=pipe, stdout=pipe) as process:
        assert process.stdout is not None
        yield int(process.stdout.readline())
        process.communicate()


@pytest.mark.parametrize(
    ("does", "is_past_login"),
    [
        ("", False),
        (LOCAL.format(True), False),
        (NETWORK, False),
        (PAIR_AS_OUTPUT, False),
        (LOCAL.format(False), True),
        (FORK, True),
    ],
    ids=["nothing", "agent", "network", "output", "channel", "background"],
)
def test_what_the_kernel_shows_of_a_process(does: str, *, is_past_login: bool) -> None:
    with program(does) as pid:
        seen = ssh_process(pid)
    assert seen is not None
    assert seen.is_past_login is is_past_login
    assert seen.started > 0


def test_a_program_that_a_fork_has_started_is_not_the_fork() -> None:
    again = f"{FORK}\nif 'again' not in os.environ:\n    os.execve(sys.executable, sys.orig_argv, {{'again': ''}})"
    with program(again.replace("os.fork()", "'again' not in os.environ and os.fork()")) as pid:
        assert ssh_process(pid) == SshProcess(started_at(pid), is_past_login=False)


def started_at(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])


def test_a_process_that_has_ended() -> None:
    with program("") as pid:
        pass
    assert ssh_process(pid) is None
    logins = OwnLogins()
    logins.proved(pid, FIRST)
    assert not logins.is_own(pid, FIRST)


def test_a_process_that_hides_its_descriptors(tmp_path: Path) -> None:
    """As another user's does."""
    (tmp_path / str(PID)).mkdir()
    stat = tmp_path / str(PID) / "stat"
    fields = " ".join(str(number) for number in range(4, 53))
    stat.write_text(f"{PID} (a) name ) S {fields}\n")
    assert ssh_process(PID, tmp_path) == SshProcess(started=22, is_past_login=False)
    stat.write_text(f"{PID} (ssh) S {fields.replace(' 9 ', ' 73 ')}\n")
    assert ssh_process(PID, tmp_path) == SshProcess(started=22, is_past_login=True)
    stat.write_text("nonsense")
    assert ssh_process(PID, tmp_path) is None


class Seen:
    """What the kernel shows of the one process."""

    def __init__(self) -> None:
        self.process: SshProcess | None = SshProcess(started=1, is_past_login=False)
        self.logins = OwnLogins(lambda pid: self.process)

    def owns(self) -> tuple[bool, bool]:
        return self.logins.is_own(PID, FIRST), self.logins.is_own(PID, SECOND)


def test_the_first_session_is_its_own_and_no_other() -> None:
    seen = Seen()
    assert seen.owns() == (False, False)
    seen.logins.proved(PID, FIRST)
    seen.logins.proved(PID, SECOND)
    seen.logins.proved(PID, FIRST)
    assert seen.owns() == (True, False)


def test_nothing_is_its_own_after_its_login() -> None:
    seen = Seen()
    seen.logins.proved(PID, FIRST)
    seen.process = SshProcess(started=1, is_past_login=True)
    assert seen.owns() == (False, False)


def test_another_process_of_the_same_pid_is_another() -> None:
    seen = Seen()
    seen.logins.proved(PID, FIRST)
    seen.process = SshProcess(started=2, is_past_login=False)
    assert seen.owns() == (False, False)
    seen.logins.proved(PID, SECOND)
    assert seen.owns() == (False, True)


def test_the_oldest_are_forgotten() -> None:
    logins = OwnLogins(lambda pid: SshProcess(started=1, is_past_login=False))
    for pid in range(MAX_LOGINS + 1):
        logins.proved(pid, FIRST)
    assert [pid for pid in range(MAX_LOGINS + 1) if not logins.is_own(pid, FIRST)] == [0]
