"""What is measured: our daemon with a phone on a line, and the peer, `p11-kit server` with SoftHSM2."""

import json
import os
import socket
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from fob_daemon.demo.links import DemoLink, SerialLink
from fob_daemon.demo.processes import Processes, program
from fob_daemon.demo.scratch import Scratch
from fob_daemon.p11_kit import find_client
from paced_line import PacedLine

SOFTHSM: Final = "/usr/lib/softhsm/libsofthsm2.so"
PEER_LABEL: Final = "peer"
PIN: Final = "123456"
KEYS: Final = (("rsa:2048", "rsa:2048", "RSA-2048", "01"), ("ec:p256", "EC:prime256v1", "P-256", "02"))
SERIAL: Final = SerialLink()
START_TIME: Final = 10.0
COMMAND_TIME: Final = 60.0


@dataclass(frozen=True, slots=True)
class Stage:
    """A daemon with its phone."""

    scratch: Scratch
    processes: Processes

    @property
    def environment(self) -> dict[str, str]:
        """What a client needs."""
        return self.scratch.environment()

    def status(self) -> dict[str, Any]:
        """`fob status`."""
        answer: dict[str, Any] = json.loads(run("fob", "--json", "status", environment=self.environment))
        return answer

    def restart_daemon(self) -> None:
        """A fresh daemon on the same state, connected to its phone, whose control socket nobody has used."""
        self.processes.stop_daemon()
        self.processes.start_daemon()
        login = ["pkcs11-tool", "--module", self.environment["PKCS11_MODULE"], "--login", "--pin", "env:PKCS11_PIN"]
        end = time.monotonic() + START_TIME
        while subprocess.run([*login, "-O"], env=os.environ | self.environment, capture_output=True).returncode:
            if time.monotonic() > end:
                sys.exit("the daemon does not reach its phone")
            time.sleep(0.1)

    def daemon_pid(self) -> int:
        """Without asking the daemon: a request loads what answers requests."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(self.scratch.socket("provider")))
            credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        pid, _, _ = struct.unpack("3i", credentials)
        return int(pid)

    def round_trips(self) -> int:
        """How often the link was crossed there and back since the daemon started."""
        device = self.status()["devices"][0]
        return int(device["round_trips"])


@contextmanager
def our_stage(baud: int | None = None, link: DemoLink = SERIAL) -> Iterator[Stage]:
    """Phone and daemon, paired, with an RSA-2048 and a P-256 key; on a paced serial line when `baud` is given."""
    with ExitStack() as stack:
        scratch = Scratch.in_folder(Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="fob-bench-"))))
        scratch.write_files(link.configuration(scratch))
        processes = stack.enter_context(Processes(scratch, link))
        processes.make_phone()
        link.prepare(processes)
        processes.start_phone()
        processes.start_daemon()
        url = link.url(processes)
        if baud is not None:
            slow = scratch.folder / "slow-line"
            stack.enter_context(PacedLine(scratch.line, slow, baud))
            url = f"serial:{slow}?baud={baud}"
        processes.fob("pair", url, "--yes")
        for kind, _, label, key_id in KEYS:
            processes.fob("keys", "new", "--type", kind, "--label", label, "--id", key_id)
        yield Stage(scratch, processes)


@contextmanager
def peer_stage() -> Iterator[dict[str, str]]:
    """`p11-kit server` with a SoftHSM2 token with the same keys; gives the environment of its clients."""
    with tempfile.TemporaryDirectory(prefix="peer-bench-") as name:
        folder = Path(name)
        (folder / "tokens").mkdir()
        (folder / "softhsm2.conf").write_text(f"directories.tokendir = {folder}/tokens\n")
        environment = {"SOFTHSM2_CONF": str(folder / "softhsm2.conf")}
        _make_peer_keys(environment)
        address = folder / "peer.sock"
        server = subprocess.Popen(
            ["p11-kit", "server", "-f", "-n", str(address), "-p", SOFTHSM, f"pkcs11:token={PEER_LABEL}"],
            env=os.environ | environment,
            stdout=subprocess.DEVNULL,
        )
        try:
            _await_socket(address)
            yield {
                "P11_KIT_SERVER_ADDRESS": f"unix:path={address}",
                "PKCS11_MODULE": str(find_client()),
                "PKCS11_TOKEN_LABEL": PEER_LABEL,
                "PKCS11_PIN": PIN,
            }
        finally:
            server.terminate()
            server.wait()


def run(name: str, *arguments: str, environment: Mapping[str, str]) -> bytes:
    """A program to its end; its standard output. Ends the bench when it fails."""
    command = program(name, *arguments) if name.startswith("fob") else [name, *arguments]
    done = subprocess.run(command, env=os.environ | environment, capture_output=True, check=False, timeout=COMMAND_TIME)
    if done.returncode:
        sys.exit(f"{name} failed:\n{done.stderr.decode(errors='replace')}")
    return done.stdout


def _make_peer_keys(environment: Mapping[str, str]) -> None:
    token = ("--init-token", "--free", "--label", PEER_LABEL, "--pin", PIN, "--so-pin", PIN)
    run("softhsm2-util", *token, environment=environment)
    for _, kind, label, key_id in KEYS:
        login = ("--module", SOFTHSM, "--token-label", PEER_LABEL, "--login", "--pin", PIN)
        key = ("--keypairgen", "--key-type", kind, "--label", label, "--id", key_id)
        run("pkcs11-tool", *login, *key, environment=environment)


def _await_socket(path: Path) -> None:
    end = time.monotonic() + START_TIME
    while not path.is_socket():
        if time.monotonic() > end:
            sys.exit("p11-kit server did not start")
        time.sleep(0.01)
