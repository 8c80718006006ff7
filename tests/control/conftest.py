"""A control server on a fake daemon, and a client of its socket."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from control.api import Api
from control.fake_daemon import FakeDaemon
from control.fake_phone import FakePhone
from fob_daemon.control.limits import Limits
from fob_daemon.control.server import ControlServer

# Short where a test waits for it, long where it must not come.
LIMITS = Limits(max_connections=8, max_streams=2, idle_time=0.3, body_time=0.2, heartbeat=0.1, stop_time=0.2)


@pytest.fixture
def daemon(tmp_path: Path) -> FakeDaemon:
    return FakeDaemon(tmp_path)


@pytest.fixture
def phone(daemon: FakeDaemon) -> FakePhone:
    """The one paired phone, 'pixel', without a PIN pad."""
    phone = FakePhone("Ada's token", "FOB-0001")
    daemon.add_phone("pixel", phone)
    return phone


@pytest.fixture
async def control_path(tmp_path: Path, daemon: FakeDaemon) -> AsyncIterator[Path]:
    """Where the server listens."""
    counter = iter(range(1, 1000))
    server = ControlServer(
        daemon, allowed_uids={os.getuid()}, limits=LIMITS, random=lambda size: next(counter).to_bytes(size, "big")
    )
    path = tmp_path / "control.sock"
    await server.listen(path)
    yield path
    await server.close()
    assert not path.exists()


@pytest.fixture
async def api(control_path: Path) -> AsyncIterator[Api]:
    connector = aiohttp.UnixConnector(str(control_path))
    async with aiohttp.ClientSession("http://fob", connector=connector) as session:
        yield Api(session)
