"""`fobd` as a process, with nothing paired."""

import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from fob_daemon.demo.processes import program
from fob_daemon.demo.scratch import Scratch

START_TIME = 20.0
STOP_TIME = 5.0


@contextmanager
def running(scratch: Scratch) -> Iterator["subprocess.Popen[bytes]"]:
    """A daemon that listens; it is killed at the end."""
    address = scratch.folder / "ready"
    address.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ready:
        ready.bind(str(address))
        ready.settimeout(START_TIME)
        with subprocess.Popen(
            program("fobd", "--config", str(scratch.config)),
            env=os.environ | {"NOTIFY_SOCKET": str(address)},
            stderr=subprocess.PIPE,
        ) as process:
            try:
                assert ready.recv(4096).startswith(b"READY=1")
                yield process
            finally:
                process.kill()


def stop(daemon: "subprocess.Popen[bytes]") -> tuple[int, bytes]:
    """Exit status and last words after SIGTERM."""
    daemon.send_signal(signal.SIGTERM)
    _, words = daemon.communicate(timeout=STOP_TIME)
    return daemon.returncode, words


def refused(scratch: Scratch) -> list[str]:
    """The three lines of a daemon that does not start."""
    command = program("fobd", "--config", str(scratch.config))
    done = subprocess.run(command, capture_output=True, text=True, timeout=START_TIME, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    return done.stderr.splitlines()
