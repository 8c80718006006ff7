"""The host's end of the guest's job port: commands run in the guest, one after the other."""

import json
import shlex
import socket
import time
from dataclasses import dataclass
from typing import IO, Any, Final

from vm.errors import GuestGoneError

# The guest kills a command itself when its time is over; the host gives up this much later.
GRACE: Final = 30.0
# Seconds between two looks in `until`: a process of the guest costs some 50 ms.
POLL: Final = 0.3


class GuestCommandError(AssertionError):
    """A command of a scenario failed in the guest."""


@dataclass(frozen=True, slots=True)
class Done:
    """How a command ended. `output` has both streams; the status of one that took too long is 124."""

    command: str
    status: int
    output: str
    seconds: float

    def __str__(self) -> str:
        return f"$ {self.command}\n{self.output.rstrip()}\n[status {self.status} after {self.seconds:.1f} s]"


class Guest:
    """Runs shell commands as root in the guest. `log` is told every one with what it printed."""

    def __init__(self, port: socket.socket, log: IO[str]) -> None:
        self._port = port
        self._lines = port.makefile("rb")
        self._log = log

    def await_hello(self, timeout: float) -> str:
        """Wait until the guest is up; the release of its kernel. Raises GuestGoneError."""
        release: str = self._receive(timeout)["hello"]
        return release

    def run(self, command: str, *, timeout: float = 60.0) -> Done:
        """Run a command, whatever becomes of it. Raises GuestGoneError if the guest does not answer."""
        begin = time.monotonic()
        self._port.sendall(json.dumps({"command": command, "timeout": timeout}).encode() + b"\n")
        answer = self._receive(timeout + GRACE)
        done = Done(command, answer["status"], answer["output"], time.monotonic() - begin)
        self._log.write(f"{done}\n")
        return done

    def check(self, command: str, *, timeout: float = 60.0) -> str:
        """The output of a command that must succeed. Raises GuestCommandError."""
        done = self.run(command, timeout=timeout)
        if done.status:
            raise GuestCommandError(str(done))
        return done.output

    def refuse(self, command: str, *, timeout: float = 60.0) -> str:
        """The output of a command that must fail, by itself and in time. Raises GuestCommandError."""
        done = self.run(command, timeout=timeout)
        if done.status in (0, 124):
            raise GuestCommandError(str(done))
        return done.output

    def until(self, command: str, *, timeout: float = 30.0) -> float:
        """Run a command again and again until it succeeds; the seconds it took. Raises GuestCommandError."""
        begin = time.monotonic()
        while (done := self.run(command)).status:
            if time.monotonic() - begin > timeout:
                raise GuestCommandError(f"never came true in {timeout} s: {done}")
            time.sleep(POLL)
        return time.monotonic() - begin

    def write(self, path: str, text: str) -> None:
        """A file in the guest."""
        self.check(f"mkdir -p $(dirname {path}) && printf %s {shlex.quote(text)} >{path}")

    def start(self, unit: str, command: str) -> None:
        """Run a command in the background as a unit of its own; `systemctl stop` ends it."""
        self.check(f"systemctl reset-failed {unit} 2>/dev/null; systemd-run --quiet --unit={unit} --collect {command}")

    def _receive(self, timeout: float) -> dict[str, Any]:
        self._port.settimeout(timeout)
        try:
            line = self._lines.readline()
        except TimeoutError:
            raise GuestGoneError(f"the guest did not answer in {timeout:.0f} s") from None
        if not line:
            raise GuestGoneError("the guest is gone")
        answer: dict[str, Any] = json.loads(line)
        return answer
