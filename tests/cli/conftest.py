"""The program `fob`, and a control server on a fake daemon for it to talk to."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cli.fob_program import FobProgram
from control.fake_daemon import FakeDaemon
from control.fake_phone import FakePhone
from fob_daemon.control.limits import Limits
from fob_daemon.control.server import ControlServer


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
def lonely_fob(tmp_path: Path) -> FobProgram:
    """`fob` without a daemon."""
    return FobProgram(tmp_path, tmp_path / "control.sock")


@pytest.fixture
async def fob(tmp_path: Path, daemon: FakeDaemon) -> AsyncIterator[FobProgram]:
    """`fob` with a daemon."""
    server = ControlServer(daemon, allowed_uids={os.getuid()}, limits=Limits(stop_time=0.05))
    await server.listen(tmp_path / "control.sock")
    yield FobProgram(tmp_path, tmp_path / "control.sock")
    await server.close()
