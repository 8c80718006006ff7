"""The provider server on an inherited socket, and beside a successor."""

from pathlib import Path

from fob_daemon.rpc.server import ProviderServer
from fob_daemon.sockets import bind_unix_socket
from rpc.conftest import Provider
from rpc.conversation import RawClient
from rpc.fake_application import FakeApplication


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
