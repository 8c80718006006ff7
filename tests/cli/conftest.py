"""The program `fob`, and a control server on a fake daemon for it to talk to."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cli.fob_program import FobProgram
from control.conftest import daemon, phone
from control.fake_daemon import FakeDaemon
from control.fake_phone import FakePhone
from fob_daemon.control.limits import Limits
from fob_daemon.control.server import ControlServer
from support.fake_device_office import saying
from support.fake_meter import FakeMeter

# Fixtures for this folder too.
__all__ = ["daemon", "phone"]


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


@pytest.fixture
def meter(daemon: FakeDaemon, phone: FakePhone) -> FakeMeter:
    """The one paired device, 'pixel', with a meter."""
    daemon.offices["pixel"].handlers["+FOBOPTIONS"] = saying(
        ("postage-rates", "1.0.0", 1, "Rates", 4096, None, "+XRATE")
    )
    return FakeMeter(daemon.offices["pixel"]).rich()
