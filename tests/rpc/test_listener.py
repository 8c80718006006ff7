"""The socket file: private, replaced when it is stale, left alone when somebody lives there."""

import socket
import stat
from pathlib import Path

import pytest

from fob_daemon.rpc.listener import ListenError, bind_unix_socket
from fob_daemon.rpc.server import ProviderServer
from rpc.conftest import Provider
from rpc.conversation import RawClient
from rpc.fake_application import FakeApplication


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_socket_and_folder_are_private(tmp_path: Path) -> None:
    path = tmp_path / "new" / "provider"
    with bind_unix_socket(path):
        assert (mode(path), mode(path.parent)) == (0o600, 0o700)


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


async def test_an_inherited_socket_is_served_and_its_file_left(tmp_path: Path) -> None:
    """systemd owns the socket; a restart must not take the file away."""
    path = tmp_path / "inherited"
    server = ProviderServer(lambda peer: FakeApplication(), allowed_uids={path.parent.stat().st_uid})
    await server.listen(bind_unix_socket(path))
    client = await RawClient.initialized(path)
    await client.close()
    await server.close()
    assert path.is_socket()


async def test_close_leaves_the_file_of_a_successor(provider: Provider) -> None:
    provider.path.unlink()
    with bind_unix_socket(provider.path):
        await provider.server.close()
        assert provider.path.is_socket()
