"""The processes of a demo: the phone, the daemon, a radio between them. They end with it, however it ends."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Final

from fob_daemon.demo import watcher
from fob_daemon.demo.commands import run_to_end
from fob_daemon.demo.errors import DemoError, failed
from fob_daemon.demo.links import DemoLink
from fob_daemon.demo.scratch import TOKEN_LABEL, Scratch
from fob_daemon.demo.signals import undisturbed

START_TIME: Final = 20.0
STOP_TIME: Final = 5.0


class Processes:
    """Starts and stops the programs of a demo. Use as a context manager."""

    def __init__(self, scratch: Scratch, link: DemoLink) -> None:
        self.scratch = scratch
        self.link = link
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._watcher: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "Processes":
        with undisturbed():
            command = (sys.executable, "-m", watcher.__name__, str(self.scratch.folder))
            null, pipe = subprocess.DEVNULL, subprocess.PIPE
            self._watcher = subprocess.Popen(command, stdin=pipe, stdout=null, start_new_session=True)
        return self

    def __exit__(self, *exception: object) -> None:
        with undisturbed():
            running = list(reversed(self._running.values()))
            for process in running:
                process.terminate()
            for process in running:
                try:
                    process.wait(STOP_TIME)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
            if self._watcher is not None:
                self._watcher.communicate(watcher.IN_ORDER)

    def make_phone(self) -> None:
        """A new phone with this demo's PINs."""
        pins = f"{self.scratch.user_pin}\n{self.scratch.so_pin}\n".encode()
        arguments = ["init", "--state", str(self.scratch.phone), "--label", TOKEN_LABEL, "--pins", "-"]
        done = run_to_end(program("fob-device", *arguments), os.environ, pins)
        if done.returncode:
            raise failed("the phone was not made", "fob-device", done.returncode, done.stderr)

    def start_radio(self, interval: float | None = None, *, hold: bool = False) -> None:
        """Make the air between two Bluetooth controllers; returns when hosts can connect to it."""
        places = ["--listen", f"unix:{self.scratch.air}", "--control", f"unix:{self.scratch.air_control}"]
        pace = [] if interval is None else ["--interval", str(interval)]
        self.start("radio", program("fob-device", "radio", *places, *pace, *(["--hold"] if hold else [])))

    def start_phone(self) -> None:
        """Switch the phone on; returns when its line is there."""
        arguments = ["run", "--state", str(self.scratch.phone), "--port", self.link.port(self.scratch)]
        self.start("phone", program("fob-device", *arguments, "--rules", str(self.scratch.rules)))

    def kill_phone(self) -> None:
        """Take the battery out of the phone."""
        self.kill("phone")

    def kill(self, name: str) -> None:
        """SIGKILL; nobody waits for a word of it."""
        if name == "phone":
            # As a serial device that is pulled out: the number of its terminal may be another phone's in a moment.
            self.scratch.line.unlink(missing_ok=True)
        process = self._running.pop(name)
        process.kill()
        process.wait()

    def freeze_phone(self) -> None:
        """The phone falls silent, as one out of reach does; its line stays."""
        self._running["phone"].send_signal(signal.SIGSTOP)

    def thaw_phone(self) -> None:
        """The phone goes on where it was."""
        self._running["phone"].send_signal(signal.SIGCONT)

    def stop_daemon(self) -> None:
        """Ask fobd to end, and wait for it."""
        process = self._running.pop("fobd")
        process.terminate()
        process.wait(STOP_TIME)

    def start_daemon(self) -> None:
        """Start fobd; returns when its sockets listen."""
        self.start("fobd", program("fobd", "--config", str(self.scratch.config)))

    def fob(self, *arguments: str) -> bytes:
        """What a `fob` command says, at this demo's daemon. Raises DemoError."""
        done = run_to_end(program("fob", *arguments), os.environ | self.scratch.environment())
        if done.returncode:
            raise failed(f"fob {' '.join(arguments)} failed", "it", done.returncode, done.stderr)
        return done.stdout

    def start(self, name: str, command: Sequence[str]) -> str:
        """Start a program that says READY=1 as services do, and what else it says then (sd_notify(3)).

        Its words go to a log in the scratch folder. Raises DemoError.
        """
        address = self.scratch.folder / f"{name}.ready"
        log = self.scratch.folder / f"{name}.log"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ready, log.open("wb") as words:
            try:
                ready.bind(str(address))
            except OSError:
                why = f"the path of a socket would be too long: {address}"
                raise DemoError(f"{name} was not started", why, "TMPDIR=/tmp fob demo") from None
            ready.settimeout(0.1)
            with undisturbed():
                process = self._running[name] = self._spawn(command, words, address)
            status = self._await_ready(name, process, ready, log)
        address.unlink()
        return status

    @staticmethod
    def _spawn(command: Sequence[str], words: IO[bytes], address: Path) -> subprocess.Popen[bytes]:
        environment = os.environ | {"NOTIFY_SOCKET": str(address)}
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=words,
            stderr=words,
            env=environment,
            # Ctrl-C is for the demo, which then ends its programs in order.
            start_new_session=True,
        )

    @staticmethod
    def _await_ready(name: str, process: subprocess.Popen[bytes], ready: socket.socket, log: Path) -> str:
        for _ in range(int(START_TIME / 0.1)):
            try:
                if b"READY=1" in (said := ready.recv(4096)):
                    return said.decode(errors="replace")
            except TimeoutError:
                if process.poll() is not None:
                    break
        code = process.poll()
        why = "it is not ready" if code is None else f"it ended with {code}"
        raise DemoError(f"{name} did not start", why, log=log.read_text(errors="replace"))


def program(name: str, *arguments: str) -> list[str]:
    """A program of ours, from the environment that runs this one."""
    return [str(Path(sys.executable).parent / name), *arguments]
