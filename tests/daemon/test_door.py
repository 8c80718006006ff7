"""Who may come in by a socket, and how the others learn that they may not."""

import asyncio
import os
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import structlog.testing

from daemon.running import running, stop
from fob_daemon.agent.limits import Limits as AgentLimits
from fob_daemon.cli.client import Client
from fob_daemon.control.limits import Limits as ControlLimits
from fob_daemon.demo.scratch import Scratch
from fob_daemon.rpc.limits import Limits as ProviderLimits
from fob_daemon.sockets import LEAVING_LIMIT, Door
from support.required import check_program

Visit = Callable[[], tuple[socket.socket, socket.socket]]


@pytest.fixture
def visit() -> Iterator[Visit]:
    """Connects a program: the daemon's end and the program's."""
    ends: list[socket.socket] = []

    def connect() -> tuple[socket.socket, socket.socket]:
        ours, theirs = socket.socketpair()
        ends.extend((ours, theirs))
        theirs.setblocking(False)
        return ours, theirs

    yield connect
    for end in ends:
        end.close()


async def test_a_full_house_is_logged_once_until_somebody_was_let_in(visit: Visit) -> None:
    door = Door("agent", {os.getuid()}, 2)

    with structlog.testing.capture_logs() as logs:
        came_in = [door.admit(visit()[0], connected) is not None for connected in (0, 1, 2, 2, 2, 1, 2, 3)]

    assert came_in == [True, True, False, False, False, True, False, False]
    assert [(entry["event"], entry["limit"], entry["pid"]) for entry in logs] == [("agent.full", 2, os.getpid())] * 2
    door.close()


async def test_who_makes_room_is_asked_in_a_full_house_only(visit: Visit) -> None:
    door = Door("control", {os.getuid()}, 2)
    asked = []

    def make_room() -> bool:
        asked.append(True)
        return len(asked) == 1

    came_in = [door.admit(visit()[0], connected, make_room) is not None for connected in (1, 2, 2)]

    assert (came_in, len(asked)) == ([True, True, False], 2)
    door.close()


async def test_another_user_does_not_come_in_and_takes_nobodys_room(visit: Visit) -> None:
    door = Door("agent", {os.getuid() + 1}, 2)

    with structlog.testing.capture_logs() as logs:
        assert door.admit(visit()[0], 2, make_room=pytest.fail) is None

    assert [(entry["event"], entry["uid"]) for entry in logs] == [("agent.refused_user", os.getuid())]
    door.close()


async def test_who_is_refused_can_still_write_and_reads_the_end(visit: Visit) -> None:
    door = Door("rpc", {os.getuid()}, 0)
    ours, theirs = visit()

    assert door.admit(ours, 0) is None
    ours.close()

    assert theirs.send(b"\x00") == 1
    assert theirs.recv(1) == b""
    door.close()
    with pytest.raises(BrokenPipeError):
        theirs.send(b"more")


async def test_the_refused_are_let_go_in_time_and_in_number(visit: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fob_daemon.sockets.LEAVING_TIME", 0.0)
    door = Door("rpc", {os.getuid()}, 0)
    visitors = [visit() for _ in range(LEAVING_LIMIT + 1)]
    for ours, _ in visitors:
        assert door.admit(ours, 0) is None
        ours.close()

    with pytest.raises(BrokenPipeError):
        visitors[0][1].send(b"too many came after it")
    assert [theirs.send(b"?") for _, theirs in visitors[1:]] == [1] * LEAVING_LIMIT

    for _ in range(3):
        await asyncio.sleep(0)
    for _, theirs in visitors[1:]:
        with pytest.raises(BrokenPipeError):
            theirs.send(b"more")


async def test_who_has_gone_already_is_refused_all_the_same(visit: Visit) -> None:
    door = Door("rpc", {os.getuid()}, 0)
    ours, theirs = visit()
    theirs.close()

    assert door.admit(ours, 0) is None

    door.close()


# Real programs at a full house.


def held(path: Path, count: int, hello: bytes = b"") -> list[socket.socket]:
    """Programs that are connected and say no more than `hello`."""
    visitors = []
    for _ in range(count):
        visitor = socket.socket(socket.AF_UNIX)
        visitor.connect(str(path))
        visitor.sendall(hello)
        visitors.append(visitor)
    return visitors


def client(scratch: Scratch, *command: str) -> "subprocess.CompletedProcess[str]":
    check_program(command[0])
    environment = os.environ | scratch.environment()
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)


def test_ssh_and_pkcs11_programs_get_an_error_and_no_signal(scratch: Scratch) -> None:
    with running(scratch) as daemon:
        visitors = held(scratch.socket("agent"), AgentLimits().max_connections)
        visitors += held(scratch.socket("provider"), ProviderLimits().max_connections, b"\x00")

        for _ in range(2):
            ssh_add = client(scratch, "ssh-add", "-l")
            assert (ssh_add.returncode, ssh_add.stderr) == (
                1,
                "error fetching identities: communication with agent failed\n",
            )
            tool = client(scratch, "pkcs11-tool", "--module", scratch.environment()["PKCS11_MODULE"], "-L")
            assert tool.returncode == 1, signal.strsignal(-tool.returncode)

        for visitor in visitors:
            visitor.close()
        status, words = stop(daemon)
        assert (status, words.count(b"agent.full"), words.count(b"rpc.full")) == (0, 1, 1)


def test_fob_is_answered_however_many_others_only_sit_there(scratch: Scratch) -> None:
    with running(scratch) as daemon:
        visitors = held(scratch.socket("control"), ControlLimits().max_connections)
        assert Client(scratch.socket("control")).get("status")["pid"] == daemon.pid
        visitors += held(scratch.socket("control"), ControlLimits().max_connections)
        assert Client(scratch.socket("control")).get("status")["pid"] == daemon.pid
        for visitor in visitors:
            visitor.close()
        assert stop(daemon) == (0, b"")
