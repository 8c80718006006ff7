"""The state folder: private, and used by one daemon at a time."""

import os
import signal
import socket
import stat
import subprocess
import time
from pathlib import Path

import pytest

from daemon.running import START_TIME, refused, running, stop
from fob_daemon.demo.processes import program
from fob_daemon.demo.scratch import Scratch
from fob_daemon.files import load_secret
from fob_daemon.permissions import PermissionsError, require_own_folder, require_secret
from fob_daemon.state_folder import StateFolder, StateInUseError

SECRET = bytes(range(32))


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def state_of(scratch: Scratch) -> Path:
    return scratch.folder / "daemon"


def test_a_new_folder_is_its_owners_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        state = StateFolder(tmp_path / "new" / "state")
    finally:
        os.umask(before)
    assert mode(state.path) == 0o700
    assert mode(state.path / "lock") == 0o600
    state.close()


def test_a_second_one_is_told_who_has_it_until_it_is_closed(tmp_path: Path) -> None:
    first = StateFolder(tmp_path)

    with pytest.raises(StateInUseError, match=f"another fobd, process {os.getpid()}, uses {tmp_path}") as error:
        StateFolder(tmp_path)

    assert error.value.next_command == f"kill {os.getpid()}"
    first.close()
    StateFolder(tmp_path).close()


@pytest.mark.parametrize("content", [b"", b"nonsense", b"\xff\xff", b"-1"])
def test_a_first_one_that_has_not_said_who_it_is(tmp_path: Path, content: bytes) -> None:
    first = StateFolder(tmp_path)
    (tmp_path / "lock").write_bytes(content)

    with pytest.raises(StateInUseError, match=f"another fobd uses {tmp_path}") as error:
        StateFolder(tmp_path)

    assert error.value.next_command == "pgrep -a fobd"
    first.close()


def test_a_lock_file_that_a_killed_daemon_left_locks_nothing(scratch: Scratch) -> None:
    with running(scratch) as killed:
        killed.send_signal(signal.SIGKILL)
        killed.wait()
    assert (state_of(scratch) / "lock").read_text() == str(killed.pid)

    with running(scratch) as daemon:
        assert (state_of(scratch) / "lock").read_text() == str(daemon.pid)
        assert stop(daemon) == (0, b"")

    assert (state_of(scratch) / "lock").read_text() == ""


def test_a_second_daemon_with_sockets_of_its_own_is_refused(
    daemon: "subprocess.Popen[bytes]", scratch: Scratch, tmp_path: Path
) -> None:
    second = Scratch.in_folder(tmp_path / "second")
    second.folder.mkdir()
    second.write_files()
    second.config.write_text(second.config.read_text().replace(str(second.folder / "daemon"), str(state_of(scratch))))

    assert refused(second) == [
        "error: fobd did not start",
        f"why:   another fobd, process {daemon.pid}, uses {state_of(scratch)}",
        f"try:   kill {daemon.pid}",
    ]
    assert not second.socket("provider").exists()
    assert stop(daemon) == (0, b"")


def test_a_damaged_registry_is_named_and_can_be_moved_away(scratch: Scratch) -> None:
    registry = state_of(scratch) / "devices.json"
    registry.parent.mkdir(mode=0o700)
    registry.write_text("[{")

    words = refused(scratch)
    assert words == [
        "error: fobd did not start",
        f"why:   {registry} is damaged: Input data was truncated",
        f"try:   mv {registry} {registry}.damaged",
    ]
    subprocess.run(["bash", "-c", words[2].removeprefix("try:   ")], check=True)
    with running(scratch) as daemon:
        assert stop(daemon) == (0, b"")


def test_a_second_daemon_whose_sockets_are_passed_to_it_is_refused(
    daemon: "subprocess.Popen[bytes]", scratch: Scratch, tmp_path: Path
) -> None:
    passed = tmp_path / "passed.sock"
    command = ["systemd-socket-activate", "--fdname=control", f"--listen={passed}"]
    with subprocess.Popen(
        [*command, *program("fobd", "--config", str(scratch.config))], stderr=subprocess.PIPE, text=True
    ) as second:
        try:
            wake(passed)
            _, words = second.communicate(timeout=START_TIME)
        finally:
            second.kill()

    assert second.returncode == 1
    assert words.splitlines()[-2:] == [
        f"why:   another fobd, process {daemon.pid}, uses {state_of(scratch)}",
        f"try:   kill {daemon.pid}",
    ]
    assert stop(daemon) == (0, b"")


def wake(path: Path) -> None:
    """systemd-socket-activate starts its program for the first that connects."""
    deadline = time.monotonic() + START_TIME
    while True:
        with socket.socket(socket.AF_UNIX) as visitor:
            try:
                return visitor.connect(str(path))
            except (FileNotFoundError, ConnectionRefusedError):
                assert time.monotonic() < deadline
                time.sleep(0.02)


# Who else may touch it.


@pytest.mark.parametrize("open_to", [0o020, 0o002, 0o022])
def test_a_folder_that_others_may_write_to_is_refused(tmp_path: Path, open_to: int) -> None:
    folder = tmp_path / "a folder"
    folder.mkdir()
    folder.chmod(0o700 | open_to)

    with pytest.raises(PermissionsError, match=f"other users may write to {folder}") as error:
        StateFolder(folder)

    assert error.value.next_command == f"chmod go-w '{folder}'"
    assert list(folder.iterdir()) == []


def test_a_folder_that_others_may_only_read_is_none_of_our_business(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    StateFolder(tmp_path).close()


def test_a_folder_like_tmp_is_not_to_be_closed_to_others(tmp_path: Path) -> None:
    tmp_path.chmod(0o1777)

    with pytest.raises(PermissionsError, match="everybody may put files into") as error:
        require_own_folder(tmp_path)

    assert error.value.next_command == f"mkdir -m 700 {tmp_path / 'fob'}"


@pytest.mark.parametrize("open_to", [0o040, 0o020, 0o004, 0o002, 0o001])
def test_a_secret_that_others_may_touch_is_refused(tmp_path: Path, open_to: int) -> None:
    path = tmp_path / "identity.key"
    assert load_secret(path, 32, lambda _: SECRET) == SECRET
    assert mode(path) == 0o600
    path.chmod(0o600 | open_to)

    with pytest.raises(PermissionsError, match=f"mode {0o600 | open_to:04o} opens it to other users") as error:
        load_secret(path, 32, lambda _: SECRET)

    assert error.value.next_command == f"chmod 600 {path}"
    subprocess.run(["sh", "-c", error.value.next_command], check=True)
    assert load_secret(path, 32, lambda _: b"") == SECRET


@pytest.mark.parametrize("content", [b"", SECRET[:-1], SECRET * 2])
def test_a_secret_of_another_size_is_damaged(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "identity.key"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(ValueError, match="has to hold 32 octets"):
        load_secret(path, 32, lambda _: SECRET)


def test_what_belongs_to_another_user_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "identity.key"
    path.write_bytes(SECRET)
    described = list(path.stat())
    described[stat.ST_MODE] = 0o600
    described[stat.ST_UID] = os.getuid() + 1
    with pytest.raises(PermissionsError, match=f"{path} belongs to user {os.getuid() + 1}"):
        require_secret(path, os.stat_result(described))


def test_the_daemon_says_it_in_three_lines(scratch: Scratch) -> None:
    with running(scratch) as daemon:
        assert stop(daemon) == (0, b"")
    key = state_of(scratch) / "identity.key"
    key.chmod(0o644)

    assert refused(scratch) == [
        "error: fobd did not start",
        f"why:   {key} is a secret, and mode 0644 opens it to other users",
        f"try:   chmod 600 {key}",
    ]
