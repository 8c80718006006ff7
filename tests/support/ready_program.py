"""A program of ours that says when it is ready, as services do."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

# Seconds for a start or an end.
PATIENCE: Final = 20.0


def installed(name: str) -> str:
    """A program of the environment that runs the tests."""
    return str(Path(sys.executable).with_name(name))


class Program:
    """A running program. Its standard error is kept in `words` once it has ended."""

    def __init__(self, *command: str) -> None:
        with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.bind(f"{folder}/notify")
            manager.settimeout(PATIENCE)
            environment = os.environ | {"NOTIFY_SOCKET": f"{folder}/notify"}
            self._process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
            self.words = ""
            try:
                assert manager.recv(100) == b"READY=1"
            except TimeoutError:
                self.kill()
                raise AssertionError(f"{command[0]} did not become ready: {self.words}") from None

    def stop(self) -> int:
        """End it politely; its exit status."""
        self._process.send_signal(signal.SIGTERM)
        return self._end()

    def kill(self) -> None:
        """End it at once, as a power cut would."""
        self._process.kill()
        self._end()

    def _end(self) -> int:
        _, self.words = self._process.communicate(timeout=PATIENCE)
        return self._process.returncode

    @property
    def is_running(self) -> bool:
        """False after its end."""
        return self._process.poll() is None


@contextlib.contextmanager
def running(*command: str) -> Iterator[Program]:
    """Ready at the beginning; ended at the end, without an error."""
    program = Program(*command)
    try:
        yield program
    finally:
        if program.is_running:
            assert program.stop() == 0, program.words
