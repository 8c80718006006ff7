"""A phone and a daemon as processes on one line, paired, with three keys: what `fob demo` sets up, for tests."""

import http.client
import json
import os
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from fob_daemon.demo.links import DemoLink, RadioLink, SerialLink
from fob_daemon.demo.processes import Processes, program
from fob_daemon.demo.run import set_up
from fob_daemon.demo.scratch import Scratch
from support.cheap_phone import CheapProcesses
from support.forking import Run, can_fork, run_forked
from support.required import P11_KIT_CLIENT, check_program, library

# Real clients are quick; a test that waits longer has hung.
CLIENT_TIME = 60

# After the last client the phone is logged out in the background; a test that counts waits for it.
LINGER: Final = 1.5

# A phone that was killed is noticed, or one that was started again is connected to, well within this time.
LINK_TIME: Final = 10.0
POLL: Final = 0.02


SERIAL: Final = "serial"
BLE: Final = "ble"
# The radio has the shortest interval that the standard allows, so that tests take their time from the programs.
LINKS: Final[dict[str, DemoLink]] = {SERIAL: SerialLink(), BLE: RadioLink(interval=7.5)}


def over_both_links(fixture: str) -> pytest.MarkDecorator:
    """The test runs by cable and by radio; `fixture` gives it its phone."""
    return pytest.mark.parametrize(fixture, LINKS, indirect=True)


@dataclass(slots=True)
class Crossed:
    """What crossed the link."""

    round_trips: int = 0
    octets_sent: int = 0
    octets_received: int = 0

    @property
    def octets(self) -> int:
        """Both directions."""
        return self.octets_sent + self.octets_received

    def __sub__(self, earlier: "Crossed") -> "Crossed":
        return Crossed(
            self.round_trips - earlier.round_trips,
            self.octets_sent - earlier.octets_sent,
            self.octets_received - earlier.octets_received,
        )


@dataclass(slots=True)
class Live:
    """A running phone and daemon."""

    scratch: Scratch
    processes: Processes

    @property
    def folder(self) -> Path:
        """Where clients run and leave their files."""
        return self.scratch.folder

    @property
    def module(self) -> str:
        """The stock PKCS#11 module."""
        return str(library(P11_KIT_CLIENT))

    @property
    def label(self) -> str:
        """The token's label."""
        return self.environment["PKCS11_TOKEN_LABEL"]

    @property
    def environment(self) -> dict[str, str]:
        """The environment of a client; what the machine's owner has set up elsewhere stays out."""
        inherited = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in os.environ}
        tools = str(Path(program("fob")[0]).parent)
        path = f"{tools}:{inherited.get('PATH', os.defpath)}:/usr/sbin"
        return inherited | self.scratch.environment() | {"HOME": str(self.folder), "PATH": path}

    def run(
        self, *command: str, stdin: bytes = b"", check: bool = True, **more: str
    ) -> subprocess.CompletedProcess[bytes]:
        """Run a real client; its output is in the assertion when it fails. `more` goes into its environment."""
        check_program(command[0])
        environment = self.environment | more
        done: subprocess.CompletedProcess[bytes]
        if command[0] == "fob" and can_fork(environment):
            ended = run_forked(Run(command[1:], environment, self.folder, stdin), CLIENT_TIME)
            done = subprocess.CompletedProcess(command, *ended)
        else:
            done = subprocess.run(
                command,
                input=stdin,
                capture_output=True,
                env=environment,
                cwd=self.folder,
                timeout=CLIENT_TIME,
                check=False,
            )
        if check:
            assert done.returncode == 0, f"{command} ended with {done.returncode}\n{done.stdout!r}\n{done.stderr!r}"
        return done

    def pkcs11_tool(
        self, *arguments: str, login: bool = True, check: bool = True
    ) -> subprocess.CompletedProcess[bytes]:
        """pkcs11-tool on the demo's token."""
        pin = ("--login", "--pin", self.scratch.user_pin) if login else ()
        return self.run(
            "pkcs11-tool", "--module", self.module, "--token-label", self.label, *pin, *arguments, check=check
        )

    def public_key(self, label: str) -> Path:
        """A PEM file with the public half of a key, as `fob keys show` writes it."""
        return self._shown(label, "pem")

    def ssh_key(self, label: str) -> Path:
        """A file with the public half of a key, as OpenSSH writes it."""
        return self._shown(label, "ssh")

    def _shown(self, label: str, form: str) -> Path:
        path = self.folder / f"{label}.{form}"
        if not path.exists():
            path.write_bytes(self.run("fob", "keys", "show", label, f"--{form}").stdout)
        return path

    def device(self) -> dict[str, Any]:
        """The phone in the daemon's status."""
        device: dict[str, Any] = self.status()["devices"][0]
        return device

    def status(self) -> dict[str, Any]:
        """What `fob --json status` prints, in a hundredth of its time."""
        connection = http.client.HTTPConnection("fob")
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.settimeout(CLIENT_TIME)
        connection.sock.connect(str(self.scratch.socket("control")))
        connection.request("GET", "/v1/status")
        answer: dict[str, Any] = json.load(connection.getresponse())
        connection.close()
        return answer

    def crossed(self) -> Crossed:
        """The link's counters now."""
        device = self.device()
        return Crossed(device["round_trips"], device["bytes_sent"], device["bytes_received"])

    @contextmanager
    def crossing(self) -> Iterator[Crossed]:
        """What the clients in the `with` block sent over the link; the sum is there at its end."""
        self._await_logout()
        # The link has traffic of its own when it was idle for half a minute; not in the next moments.
        self.pkcs11_tool("--generate-random", "1", login=False)
        sum_ = Crossed()
        before = self.crossed()
        yield sum_
        crossed = self.crossed() - before
        sum_.round_trips, sum_.octets_sent = crossed.round_trips, crossed.octets_sent
        sum_.octets_received = crossed.octets_received

    def _await_logout(self) -> None:
        """When the last client has left, the link is quiet only after its late logout."""
        for _ in range(int(LINK_TIME / POLL)):
            status = self.status()
            stays = status["agent_logged_in"] or any(client["logged_in"] for client in status["clients"])
            if stays or not status["devices"][0]["logged_in"]:
                return
            time.sleep(POLL)
        raise AssertionError("the phone stays logged in")

    def kill_phone(self) -> None:
        """The phone vanishes; returns at once, before the daemon knows."""
        self.processes.kill_phone()

    def start_phone(self) -> None:
        """The phone is there again, and the daemon is connected to it."""
        self.processes.start_phone()
        self.await_state("ready")

    @contextmanager
    def silent_phone(self) -> Iterator[None]:
        """Nothing is heard of the phone within the `with` block, though its line stands; then the link is up again."""
        self.processes.freeze_phone()
        try:
            yield
        finally:
            self.processes.thaw_phone()
        self.await_state("ready")

    def restart_daemon(self) -> None:
        """The daemon ends and another one starts from what it left on the disk."""
        self.processes.stop_daemon()
        self.processes.start_daemon()

    def take_pin_pad_away(self, rules: str) -> None:
        """From now on every PIN comes from the PC."""
        self.kill_phone()
        self.scratch.rules.write_text(f'pairing = "accept"\n{rules}')
        self.start_phone()

    def await_state(self, state: str, device: int = 0) -> None:
        """Wait for a state of the link; `device` counts where several are paired."""
        for _ in range(int(LINK_TIME / POLL)):
            if self.status()["devices"][device]["state"] == state:
                return
            time.sleep(POLL)
        raise AssertionError(f"the link is not {state} but {self.status()['devices'][device]}")


@contextmanager
def live_phone(folder: Path, *, rules: str = "", has_pin_pad: bool = True, link: str = SERIAL) -> Iterator[Live]:
    """Everything started; everything gone at the end. `rules`: more lines for the phone's rule file."""
    demo_link = LINKS[link]
    scratch = Scratch.in_folder(folder)
    scratch.write_files(demo_link.configuration(scratch))
    with scratch.rules.open("a") as file:
        file.write(rules)
    with scratch.config.open("a") as file:
        file.write(f"[timeouts]\nlogout_linger = {LINGER}\n")
    with CheapProcesses(scratch, demo_link) as processes:
        set_up(processes, lambda words: None)
        live = Live(scratch, processes)
        if not has_pin_pad:
            live.take_pin_pad_away(rules)
        yield live


def lines(output: bytes) -> Sequence[str]:
    """A client's output as lines."""
    return output.decode(errors="replace").splitlines()
