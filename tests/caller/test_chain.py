"""Which programs stand behind a connection: read from a /proc of our own, and from the real one."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from fob_daemon.caller.chain import program_chain
from fob_daemon.peer import PeerIdentity
from fob_protocol.caller import PROGRAMS_LIMIT

UID = 1000


class Processes:
    """A folder like /proc."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def add(
        self,
        pid: int,
        program: str,
        parent: int,
        *,
        uid: int = UID,
        name: str = "",
        hidden: bool = False,
        arguments: tuple[str, ...] = (),
    ) -> None:
        """`hidden`: a process that lets nobody see its executable, as agents do."""
        process = self.folder / str(pid)
        process.mkdir()
        name = name or program
        (process / "comm").write_text(f"{name}\n")
        (process / "cmdline").write_text("".join(f"{argument}\0" for argument in (program, *arguments)))
        (process / "status").write_text(
            f"Name:\t{name}\nUmask:\t0022\nState:\tS (sleeping)\nTgid:\t{pid}\nNgid:\t0\nPid:\t{pid}\nPPid:\t{parent}\n"
            f"TracerPid:\t0\nUid:\t7\t{uid}\t{uid}\t{uid}\nGid:\t1000\t1000\t1000\t1000\nFDSize:\t256\n"
        )
        if not hidden:
            (process / "exe").symlink_to(f"/usr/bin/{program}")

    def chain(self, pid: int = 40) -> tuple[str, ...]:
        return program_chain(PeerIdentity(pid, UID, UID, "ssh at first", ()), self.folder)


@pytest.fixture
def processes(tmp_path: Path) -> Processes:
    """A shell of a person who logged in."""
    processes = Processes(tmp_path)
    processes.add(1, "systemd", 0, uid=0)
    processes.add(10, "systemd", 1)
    processes.add(20, "gnome-terminal-server", 10)
    processes.add(30, "zsh", 20)
    return processes


def test_a_program_and_who_started_it_up_to_the_terminal(processes: Processes) -> None:
    processes.add(35, "git", 30)
    processes.add(40, "ssh", 35)
    assert processes.chain() == ("ssh", "git", "zsh")


@pytest.mark.parametrize(
    ("program", "arguments", "shown"),
    [
        ("python3.11", ("/usr/local/bin/fob", "keys", "new"), "fob (python3.11)"),
        ("bash", ("./deploy.sh",), "deploy.sh (bash)"),
        ("bash", ("-c", "ssh build.example"), "bash"),
        ("python3.11", ("-m", "http.server"), "python3.11"),
        ("python3.11", ("",), "python3.11"),
        ("zsh", (), "zsh"),
        ("pythonista", ("notes",), "pythonista"),
        ("ssh", ("build.example",), "ssh"),
    ],
)
def test_an_interpreter_is_shown_with_its_script(
    processes: Processes, program: str, arguments: tuple[str, ...], shown: str
) -> None:
    processes.add(40, program, 30, arguments=arguments)
    assert processes.chain() == (shown, "zsh")


def test_a_script_cannot_end_the_chain_by_its_name(processes: Processes) -> None:
    processes.add(35, "bash", 30, arguments=("/tmp/sshd",))
    processes.add(40, "ssh", 35)
    assert processes.chain() == ("ssh", "sshd (bash)", "zsh")


@pytest.mark.parametrize("parent", [10, 1])
def test_the_services_of_a_user_and_of_the_system_are_nobodys_children(processes: Processes, parent: int) -> None:
    processes.add(40, "backup", parent)
    assert processes.chain() == ("backup",)


def test_a_login_over_ssh_begins_with_the_shell(processes: Processes) -> None:
    processes.add(25, "sshd", 1, hidden=True)
    processes.add(28, "bash", 25)
    processes.add(40, "ssh", 28)
    assert processes.chain() == ("ssh", "bash")


def test_a_program_of_another_user_ends_the_chain(processes: Processes) -> None:
    processes.add(35, "sudo", 30, uid=0)
    processes.add(40, "ssh", 35)
    assert processes.chain() == ("ssh",)


def test_an_agent_that_hides_itself_goes_by_its_short_name(processes: Processes) -> None:
    processes.add(40, "ssh-agent", 30, hidden=True)
    assert processes.chain() == ("ssh-agent", "zsh")


def test_a_program_that_was_upgraded_while_it_runs_keeps_its_name(processes: Processes) -> None:
    processes.add(40, "firefox (deleted)", 30)
    assert processes.chain() == ("firefox", "zsh")


def test_no_name_pretends_to_be_another_line(processes: Processes) -> None:
    processes.add(40, "evil", 30, name="x\\nPPid:\t1\\nUid:\t0\t0")
    assert processes.chain() == ("evil", "zsh")


def test_the_chain_has_its_bound(processes: Processes) -> None:
    for pid in range(41, 61):
        processes.add(pid, f"make-{pid}", pid - 1)
    assert processes.chain(60) == tuple(f"make-{pid}" for pid in range(60, 60 - PROGRAMS_LIMIT, -1))


def test_a_process_that_has_ended_is_what_it_was_at_first(processes: Processes) -> None:
    assert processes.chain(99) == ("ssh at first",)
    assert processes.chain(0) == ("ssh at first",)


def test_a_parent_that_has_ended_ends_the_chain(processes: Processes) -> None:
    processes.add(40, "ssh", 39)
    assert processes.chain() == ("ssh",)


@pytest.mark.parametrize("status", [b"", b"\xff" * 5000, b"Name:\tx\nPPid:\tten\nUid:\t1\n", b"\nPPid:\t1\nState"])
def test_what_does_not_parse_ends_the_chain(processes: Processes, status: bytes) -> None:
    processes.add(40, "ssh", 30)
    (processes.folder / "40" / "status").write_bytes(status)
    assert processes.chain() == ("ssh at first",)


def test_the_real_one() -> None:
    """A child of this process, which the kernel tells of."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, stderr=subprocess.DEVNULL) as child:
        peer = PeerIdentity(child.pid, os.geteuid(), os.getegid(), "?", ())
        ours = os.path.basename(os.path.realpath(sys.executable))
        child_name, own_name, *_ = program_chain(peer)
        # However the tests were started: pytest's own script, or `python -m pytest`.
        assert child_name == ours
        assert ours in own_name
        child.communicate(b"\n")
