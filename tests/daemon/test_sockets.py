"""The socket file: private, replaced when it is stale, left alone when somebody lives there."""

import os
import socket
import stat
from pathlib import Path

import pytest

from fob_daemon.config import Config, Sockets
from fob_daemon.daemon import Daemon
from fob_daemon.sockets import ListenError, bind_unix_socket, path_of
from fob_daemon.start_error import StartError


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_socket_and_folder_are_private(tmp_path: Path) -> None:
    path = tmp_path / "new" / "provider"
    with bind_unix_socket(path):
        assert (mode(path), mode(path.parent)) == (0o600, 0o700)


@pytest.mark.parametrize("umask", [0o000, 0o002, 0o027, 0o077, 0o177, 0o277, 0o777])
def test_socket_and_new_folders_are_their_owner_s_whatever_the_umask(tmp_path: Path, umask: int) -> None:
    path = tmp_path / "new" / "below" / "provider"
    before = os.umask(umask)
    try:
        listener = bind_unix_socket(path)
    finally:
        os.umask(before)
    with listener:
        assert (mode(path), mode(path.parent), mode(path.parent.parent)) == (0o600, 0o700, 0o700)


@pytest.mark.parametrize("folder", [0o755, 0o750, 0o711, 0o700])
def test_the_socket_is_its_owner_s_whatever_the_folder_s_mode(tmp_path: Path, folder: int) -> None:
    tmp_path.chmod(folder)
    with bind_unix_socket(tmp_path / "provider"):
        assert (mode(tmp_path / "provider"), mode(tmp_path)) == (0o600, folder)


def test_a_stale_file_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "provider"
    bind_unix_socket(path).close()
    assert path.is_socket()
    with bind_unix_socket(path), socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))


def test_a_live_one_is_refused_and_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "provider"
    with bind_unix_socket(path) as first:
        with pytest.raises(ListenError, match="another process listens there"):
            bind_unix_socket(path)
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(path))
            first.setblocking(True)
            first.accept()[0].close()


def test_no_other_file_is_touched(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("mine")
    with pytest.raises(ListenError, match="is not a socket"):
        bind_unix_socket(path)
    assert path.read_text() == "mine"


def test_a_path_that_is_too_long_is_named(tmp_path: Path) -> None:
    with pytest.raises(ListenError, match="too long"):
        bind_unix_socket(tmp_path / ("x" * 120))


def test_a_folder_where_others_could_put_a_socket_in_its_place_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o770)
    with pytest.raises(StartError, match=f"other users may write to {tmp_path}") as error:
        bind_unix_socket(tmp_path / "provider")
    assert error.value.next_command == f"chmod go-w {tmp_path}"
    assert list(tmp_path.iterdir()) == []


async def test_the_status_names_the_sockets_that_systemd_passed_and_not_the_default_ones(tmp_path: Path) -> None:
    provider, agent, control = (tmp_path / f"{name}.sock" for name in ("provider", "agent", "control"))
    passed = bind_unix_socket(tmp_path / "run" / "provider.sock")
    daemon = Daemon(Config(state=tmp_path / "state", sockets=Sockets(provider=provider, agent=agent, control=control)))
    await daemon.start({"provider": passed})

    status = daemon.status()

    assert (status.provider_socket, status.agent_socket) == (str(tmp_path / "run" / "provider.sock"), str(agent))
    assert not provider.exists()
    await daemon.stop()


def test_a_name_that_is_no_file_is_shown_as_the_kernel_shows_it() -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("\0fob-test-name")
        assert path_of(listener) == "@fob-test-name"
