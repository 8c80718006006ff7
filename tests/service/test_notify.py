"""Reports to the service manager, over a real datagram socket."""

import asyncio
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from fob_daemon.service.environment import ServiceEnvironmentError
from fob_daemon.service.notify import MAX_STATUS_CHARACTERS, Notifier


class Manager:
    """The service manager's end: a datagram socket at a path or an abstract name."""

    def __init__(self, address: str) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.settimeout(5)
        self.socket.bind(address.replace("@", "\0", 1) if address.startswith("@") else address)
        self.environment = {"NOTIFY_SOCKET": address, "HOME": "/"}

    def heard(self) -> str:
        return self.socket.recv(4096).decode()


@pytest.fixture(params=["path", "abstract"])
def manager(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Manager]:
    address = str(tmp_path / "notify") if request.param == "path" else f"@fob-test-{os.getpid()}"
    manager = Manager(address)
    yield manager
    manager.socket.close()


def test_a_service_life(manager: Manager) -> None:
    notifier = Notifier.from_environment(manager.environment)

    notifier.ready()
    assert manager.heard() == "READY=1"
    notifier.status("1 device connected")
    assert manager.heard() == "STATUS=1 device connected"
    notifier.reloading()
    reloading, clock = manager.heard().split("\n")
    assert reloading == "RELOADING=1"
    assert clock.removeprefix("MONOTONIC_USEC=").isdecimal()
    notifier.stopping()
    assert manager.heard() == "STOPPING=1"

    assert manager.environment == {"HOME": "/"}


def test_a_status_cannot_smuggle_in_another_assignment(manager: Manager) -> None:
    notifier = Notifier.from_environment(manager.environment)
    notifier.status("phone\nSTOPPING=1\r\n" + "x" * 1000)
    assert manager.heard() == f"STATUS={'phone STOPPING=1 '.ljust(MAX_STATUS_CHARACTERS, 'x')}"


async def test_the_watchdog_hears_from_us_twice_in_its_time(manager: Manager) -> None:
    notifier = Notifier.from_environment(manager.environment | {"WATCHDOG_USEC": "3000000"})
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 3:
            raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await notifier.run_watchdog(sleep)

    assert slept == [1.5, 1.5, 1.5]
    assert [manager.heard() for _ in slept] == ["WATCHDOG=1"] * 3


@pytest.mark.parametrize(
    "variables",
    [
        {},
        {"WATCHDOG_USEC": "0"},
        {"WATCHDOG_USEC": "3000000", "WATCHDOG_PID": "1"},
    ],
)
async def test_no_watchdog_of_ours(variables: dict[str, str]) -> None:
    notifier = Notifier.from_environment({"NOTIFY_SOCKET": "/nowhere"} | variables)
    assert notifier.watchdog_interval is None
    await notifier.run_watchdog()


async def test_without_a_service_manager_every_report_is_silence() -> None:
    notifier = Notifier.from_environment({"WATCHDOG_USEC": "3000000", "WATCHDOG_PID": str(os.getpid())})
    assert notifier == Notifier(None, 1.5)
    notifier.ready()
    await notifier.run_watchdog()


def test_a_manager_that_is_gone_does_not_stop_the_daemon(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Notifier.from_environment({"NOTIFY_SOCKET": str(tmp_path / "gone")}).ready()
    said = capsys.readouterr().out
    assert "service manager not reached" in said
    assert "No such file or directory" in said


def test_a_manager_that_does_not_listen_does_not_block_the_daemon(manager: Manager) -> None:
    notifier = Notifier.from_environment(manager.environment)
    for _ in range(5000):  # more than any socket queues
        notifier.ready()
    assert manager.heard() == "READY=1"


@pytest.mark.parametrize(
    ("variables", "reason"),
    [
        ({"NOTIFY_SOCKET": ""}, "NOTIFY_SOCKET is ''"),
        ({"NOTIFY_SOCKET": "vsock:2:1234"}, "neither a path nor an abstract name"),
        ({"NOTIFY_SOCKET": "/" + "x" * 200}, "NOTIFY_SOCKET is '/xxx"),
        ({"WATCHDOG_USEC": "soon"}, "WATCHDOG_USEC is 'soon', not a number"),
        ({"WATCHDOG_USEC": "1", "WATCHDOG_PID": "-1"}, "WATCHDOG_PID is '-1', not a number"),
    ],
)
def test_malformed_variables_are_named(variables: dict[str, str], reason: str) -> None:
    with pytest.raises(ServiceEnvironmentError, match=reason):
        Notifier.from_environment(variables)
