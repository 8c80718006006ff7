"""What the daemon loads before it is asked for anything, and that it ends as quietly as it began."""

import os
import signal
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from daemon.running import stop
from fob_daemon.cli.client import Client
from fob_daemon.demo.scratch import Scratch

# Each costs a start tens of milliseconds and the daemon megabytes; a program that signs needs none of them.
LATE = (
    "aiohttp",
    "bleak",
    "bleak_retry_connector",
    "bumble",
    "click",
    "cryptography.x509",
    "dbus_fast",
    "email.message",
    "http.client",
    "importlib.metadata",
    "pydantic",
    "serial",
    "uvloop",
)


@pytest.fixture(scope="module")
def loaded() -> frozenset[str]:
    """Every module that `fobd` has when its own code begins to run."""
    code = "import sys, fob_daemon.main; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return frozenset(done.stdout.split())


@pytest.mark.parametrize("module", LATE)
def test_it_comes_later(module: str, loaded: frozenset[str]) -> None:
    assert module not in loaded


def test_what_serves_programs_is_loaded(loaded: frozenset[str]) -> None:
    assert {"fob_daemon.rpc.server", "fob_daemon.agent.server", "fob_daemon.control.server"} <= loaded


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_help_that_nobody_reads_ends_without_a_word(option: str) -> None:
    read, write = os.pipe()
    os.close(read)
    command = [sys.executable, "-c", "from fob_daemon.main import main; main()", option]
    done = subprocess.run(command, stdout=write, stderr=subprocess.PIPE, check=False)
    os.close(write)
    assert (done.returncode, done.stderr) == (-signal.SIGPIPE, b"")


def test_a_daemon_that_nobody_asked_for_anything_ends_without_a_word(
    daemon: "subprocess.Popen[bytes]", scratch: Scratch
) -> None:
    assert stop(daemon) == (0, b"")
    assert not scratch.socket("control").exists()


def test_the_first_programs_at_the_control_socket_are_all_answered(
    daemon: "subprocess.Popen[bytes]", scratch: Scratch
) -> None:
    def ask(number: int) -> int:
        pid: int = Client(scratch.socket("control")).get("status")["pid"]
        return pid

    with ThreadPoolExecutor(8) as programs:
        answers = list(programs.map(ask, range(8)))

    assert answers == [daemon.pid] * 8
    assert stop(daemon) == (0, b"")


def test_its_status_names_the_configuration_that_it_has_read(
    daemon: "subprocess.Popen[bytes]", scratch: Scratch
) -> None:
    assert Client(scratch.socket("control")).get("status")["configuration"] == str(scratch.config)
    assert stop(daemon) == (0, b"")


def test_a_program_that_hung_up_before_it_was_served_harms_nobody(
    daemon: "subprocess.Popen[bytes]", scratch: Scratch
) -> None:
    with socket.socket(socket.AF_UNIX) as hasty:
        hasty.connect(str(scratch.socket("control")))

    assert Client(scratch.socket("control")).get("status")["pid"] == daemon.pid
    assert stop(daemon) == (0, b"")


def test_a_daemon_that_is_stopped_while_the_control_socket_opens_ends_all_the_same(
    daemon: "subprocess.Popen[bytes]", scratch: Scratch
) -> None:
    with socket.socket(socket.AF_UNIX) as visitor:
        visitor.connect(str(scratch.socket("control")))

        assert stop(daemon) == (0, b"")
