"""Sockets from the service manager: what is taken, what is refused, and the real systemd-socket-activate."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from fob_daemon.service.environment import ServiceEnvironmentError
from fob_daemon.service.listen_fds import MAX_SOCKETS, inherited_sockets
from support.required import program

SERVER = """
from fob_daemon.service.listen_fds import inherited_sockets
import os

sockets = inherited_sockets()
for name, listener in sorted(sockets.items()):
    listener.setblocking(True)
    connection, _ = listener.accept()
    connection.sendall(f"{name} {sorted(sockets)} {'LISTEN_FDS' in os.environ}".encode())
    connection.close()
"""


def environment(names: str | None, count: str = "1", pid: int | str | None = None) -> dict[str, str]:
    """What a service manager sets for this process."""
    variables = {"LISTEN_PID": str(os.getpid() if pid is None else pid), "LISTEN_FDS": count, "HOME": "/"}
    return variables if names is None else variables | {"LISTEN_FDNAMES": names}


@pytest.fixture
def descriptors(tmp_path: Path) -> Iterator[list[int]]:
    """Two consecutive descriptors of listening Unix sockets; adopted ones are no longer ours to close."""
    listeners = [socket.socket(socket.AF_UNIX) for _ in range(2)]
    for number, listener in enumerate(listeners):
        listener.bind(str(tmp_path / f"{number}.sock"))
        listener.listen()
    base = 200
    for number, listener in enumerate(listeners):
        os.dup2(listener.fileno(), base + number)
        listener.close()
    yield [base, base + 1]
    for descriptor in (base, base + 1):
        try:
            os.close(descriptor)
        except OSError:
            continue  # adopted and closed by the test


def test_each_socket_comes_by_its_name(descriptors: list[int]) -> None:
    variables = environment("provider:agent", "2")

    sockets = inherited_sockets(variables, descriptors[0])

    assert {name: found.fileno() for name, found in sockets.items()} == {
        "provider": descriptors[0],
        "agent": descriptors[1],
    }
    assert not any(found.get_inheritable() or found.getblocking() for found in sockets.values())
    assert variables == {"HOME": "/"}
    for found in sockets.values():
        found.close()


@pytest.mark.parametrize("variables", [{}, {"LISTEN_FDS": "1"}, environment("provider", pid=1)])
def test_sockets_of_another_process_are_left_alone(variables: dict[str, str]) -> None:
    assert inherited_sockets(variables) == {}
    assert "LISTEN_FDS" not in variables


def test_no_socket_at_all() -> None:
    assert inherited_sockets(environment(None, "0")) == {}


@pytest.mark.parametrize(
    ("variables", "reason"),
    [
        (environment("a", pid="me"), "LISTEN_PID is 'me', not a number"),
        (environment("a", "-1"), "LISTEN_FDS is '-1', not a number from 0 to 16"),
        (environment("a", "9" * 5000), "LISTEN_FDS is '9"),
        (environment("a", str(MAX_SOCKETS + 1)), "not a number from 0 to 16"),
        (environment("a", "\u0661"), "not a number"),
        (environment(None), "counts 1 sockets, LISTEN_FDNAMES names 0"),
        (environment("a:b"), "counts 1 sockets, LISTEN_FDNAMES names 2"),
        (environment("a:b:a", "3"), "names a more than once"),
    ],
)
def test_contradictions_are_named(variables: dict[str, str], reason: str) -> None:
    with pytest.raises(ServiceEnvironmentError, match=reason):
        inherited_sockets(variables)


def test_a_closed_descriptor_is_refused() -> None:
    with pytest.raises(ServiceEnvironmentError, match=r"descriptor 900 \(provider\) is no socket: Bad file descriptor"):
        inherited_sockets(environment("provider"), 900)


def test_a_file_is_refused(tmp_path: Path) -> None:
    with (tmp_path / "file").open("wb") as file, pytest.raises(ServiceEnvironmentError, match="is no socket"):
        inherited_sockets(environment("provider"), file.fileno())


def test_a_socket_that_does_not_listen_is_refused() -> None:
    ours, theirs = socket.socketpair()
    with theirs, pytest.raises(ServiceEnvironmentError, match="is no listening Unix stream socket"):
        inherited_sockets(environment("provider"), ours.detach())


def test_one_bad_socket_closes_those_before_it(descriptors: list[int]) -> None:
    os.close(descriptors[1])
    with pytest.raises(ServiceEnvironmentError, match="is no socket"):
        inherited_sockets(environment("provider:agent", "2"), descriptors[0])
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptors[0])


def test_systemd_socket_activate_hands_over_three_sockets(tmp_path: Path) -> None:
    paths = {name: tmp_path / f"{name}.sock" for name in ("agent", "control", "provider")}
    command = [program("systemd-socket-activate"), *(f"--listen={path}" for path in paths.values())]
    command += [f"--fdname={':'.join(paths)}", sys.executable, "-c", SERVER]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as service:
        assert service.stderr is not None
        for _ in paths:  # it says one line a socket, once that socket listens
            assert "Listening on" in service.stderr.readline()
        answers = [ask(path) for path in paths.values()]
        service.communicate(timeout=10)

    names = sorted(paths)
    assert answers == [f"{name} {names} False" for name in names]
    assert service.returncode == 0


def ask(path: Path) -> str:
    """What the server at `path` says before it hangs up."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(10)
        client.connect(str(path))
        return client.makefile().read()
