"""Fob's programs on the host: the virtual radio, and phones that are on the air with it."""

import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import IO, Final

from vm.errors import VmError

START_TIME: Final = 30.0
STOP_TIME: Final = 5.0
POLL: Final = 0.1

USER_PIN: Final = "123456"
SO_PIN: Final = "87654321"
# The headless person: accepts a pairing, and types the PIN on the phone.
RULES: Final = f'pairing = "accept"\npin = "{USER_PIN}"\n'


class Program:
    """A program that says READY=1 as services do (sd_notify(3)); what it prints goes to the log."""

    def __init__(self, name: str, arguments: list[str], folder: Path, log: IO[str]) -> None:
        """Start it, and wait until it is ready. Raises VmError."""
        address = folder / f"{name}.ready"
        address.unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ready:
            ready.bind(str(address))
            ready.settimeout(POLL)
            self._process = subprocess.Popen(
                [str(Path(sys.executable).parent / "fob-device"), *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=os.environ | {"NOTIFY_SOCKET": str(address)},
            )
            self._await_ready(name, ready)

    def stop(self) -> None:
        """Ask it to end."""
        self._process.terminate()
        try:
            self._process.wait(STOP_TIME)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """End it at once, as an empty battery would."""
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def _await_ready(self, name: str, ready: socket.socket) -> None:
        end = time.monotonic() + START_TIME
        while time.monotonic() < end and self._process.poll() is None:
            try:
                if b"READY=1" in ready.recv(4096):
                    return
            except TimeoutError:
                continue
        self.kill()
        raise VmError(f"{name} did not start; the log says why")


class Radio:
    """The virtual radio; controllers are had at its socket."""

    def __init__(self, folder: Path, log: IO[str]) -> None:
        self.socket = folder / "radio.sock"
        self._program = Program("radio", ["radio", "--listen", f"unix:{self.socket}"], folder, log)

    def stop(self) -> None:
        """Switch it off."""
        self._program.stop()


class Phone:
    """An emulated phone with one token, off at first."""

    def __init__(self, label: str, radio: Radio, folder: Path, log: IO[str]) -> None:
        self.label = label
        self.folder = folder / label
        self._ready_folder = folder
        self._port = f"ble:unix-client:{radio.socket}"
        self._log = log
        self._program: Program | None = None
        self._make()

    def switch_on(self) -> None:
        """Begin to advertise."""
        rules = self.folder / "rules.toml"
        arguments = ["run", "--state", str(self.folder), "--port", self._port, "--rules", str(rules)]
        self._program = Program(self.label, arguments, self._ready_folder, self._log)

    def kill(self) -> None:
        """Take its battery out."""
        if self._program is not None:
            self._program.kill()
            self._program = None

    def restart(self) -> None:
        """Battery out, battery in."""
        self.kill()
        self.switch_on()

    def forget_bonds(self) -> None:
        """What a person does in the phone's Bluetooth settings. It is off meanwhile."""
        with closing(sqlite3.connect(self.folder / "token.db")) as database, database:
            database.execute("DELETE FROM bond")

    def _make(self) -> None:
        arguments = ["init", "--state", str(self.folder), "--label", self.label, "--pins", "-"]
        pins = f"{USER_PIN}\n{SO_PIN}\n"
        program = str(Path(sys.executable).parent / "fob-device")
        done = subprocess.run([program, *arguments], input=pins, capture_output=True, text=True, check=False)
        if done.returncode:
            raise VmError(f"the phone was not made:\n{done.stderr}")
        rules = self.folder / "rules.toml"
        rules.write_text(RULES)
        rules.chmod(0o600)


@contextmanager
def radio_on_air(folder: Path, log: IO[str]) -> Iterator[Radio]:
    """A radio until the end of the `with` block. Raises VmError."""
    radio = Radio(folder, log)
    try:
        yield radio
    finally:
        radio.stop()
