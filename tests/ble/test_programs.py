"""Three programs: the air, the phone, and the daemon with a controller of its own; they die and come back."""

import json
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from fob_daemon.demo.scratch import TOKEN_LABEL, Scratch
from fob_daemon.link.ble.hci.stack import BONDS_FILE
from fob_daemon.link.ble.radio import FORGOTTEN_THERE
from fob_device.ports.ble.station import static_address
from fob_device.state import open_phone
from support.live import Live
from support.ready_program import PATIENCE, Program, installed

pytestmark = [pytest.mark.slow, pytest.mark.clause("P7"), pytest.mark.timeout(240)]

INTERVAL: Final = "--interval=7.5"
POLL: Final = 0.02


class Programs:
    """The air, the phone and the daemon, by these names."""

    def __init__(self, scratch: Scratch) -> None:
        hosts = scratch.folder / "air"
        device = installed("fob-device")
        self._commands = {
            "air": (device, "radio", f"--listen=unix:{hosts}", INTERVAL),
            "phone": (
                *(device, "run", f"--state={scratch.phone}", f"--rules={scratch.rules}"),
                f"--port=ble:unix-client:{hosts}",
            ),
            "daemon": (installed("fobd"), f"--config={scratch.config}"),
        }
        self._running: dict[str, Program] = {}

    def start(self, *names: str) -> None:
        for name in names:
            self._running[name] = Program(*self._commands[name])

    def kill(self, *names: str) -> None:
        for name in names:
            if name in self._running:
                self._running.pop(name).kill()


@dataclass
class Air:
    """The programs, and `fob`."""

    live: Live
    programs: Programs
    url: str

    def fob(self, *arguments: str) -> Any:
        done = self.live.run(installed("fob"), "--json", *arguments)
        return json.loads(done.stdout)

    def wait_for(self, state: str) -> float:
        """The seconds until the link is in a state."""
        began = time.monotonic()
        while (found := self.live.device())["state"] != state:
            assert time.monotonic() - began < PATIENCE, found
            time.sleep(POLL)
        return time.monotonic() - began

    def sign(self) -> None:
        """With the stock client."""
        data = self.live.folder / "data"
        data.write_bytes(b"x" * 32)
        self.live.pkcs11_tool("--sign", "--mechanism=ECDSA", "--label=key", f"--input-file={data}")


@pytest.fixture
def air(tmp_path: Path) -> Iterator[Air]:
    scratch = Scratch.in_folder(tmp_path)
    scratch.write_files()
    with scratch.config.open("a") as config:
        config.write(f'[bluetooth]\nhci = "unix-client:{tmp_path}/air"\n')
    pins = f"{scratch.user_pin}\n{scratch.so_pin}\n".encode()
    make = (installed("fob-device"), "init", f"--state={scratch.phone}", f"--label={TOKEN_LABEL}", "--pins=-")
    subprocess.run(make, input=pins, check=True, capture_output=True, timeout=PATIENCE)
    memory = open_phone(scratch.phone)
    url = f"ble:{static_address(memory.identity.public)}"
    memory.close()
    programs = Programs(scratch)
    try:
        programs.start("air", "phone", "daemon")
        live = Live(scratch, programs)  # type: ignore[arg-type]  # of Live only what asks the daemon is used
        yield Air(live, programs, url)
    finally:
        programs.kill("daemon", "phone", "air")


def test_scan_pair_sign_and_unpair(air: Air) -> None:
    [found] = air.fob("devices", "--scan")["devices"]
    # The rest of the name does not fit beside the service's UUID.
    assert (found["url"], found["name"], found["paired"]) == (air.url, TOKEN_LABEL[:8], None)

    air.fob("pair", air.url, "--yes")
    bonds = air.live.scratch.folder / "daemon" / BONDS_FILE
    assert bonds.stat().st_mode & 0o777 == 0o600
    assert json.loads(bonds.read_text())["bonds"]
    assert air.fob("devices")["devices"][0]["url"] == air.url
    assert air.fob("devices", "--scan")["devices"][0]["paired"] == TOKEN_LABEL
    air.live.run(installed("fob"), "keys", "new", "--type=ec:p256", "--label=key")
    air.sign()

    air.fob("unpair", TOKEN_LABEL)
    assert json.loads(bonds.read_text())["bonds"] == {}


def test_phone_daemon_and_air_are_killed_and_come_back(air: Air) -> None:
    air.fob("pair", air.url, "--yes")
    air.live.run(installed("fob"), "keys", "new", "--type=ec:p256", "--label=key")

    air.programs.kill("phone")
    air.wait_for("away")
    air.programs.start("phone")
    air.wait_for("ready")
    air.sign()

    air.programs.kill("daemon")
    air.programs.start("daemon")
    air.wait_for("ready")
    air.sign()

    # The radio's program is both controllers.
    air.programs.kill("air")
    air.wait_for("away")
    air.programs.start("air")
    air.wait_for("ready")
    air.sign()


def test_a_lost_bond_is_explained_and_healed_by_one_command(air: Air) -> None:
    air.fob("pair", air.url, "--yes")
    bonds = air.live.scratch.folder / "daemon" / BONDS_FILE
    air.programs.kill("daemon")

    # Another key on this side is none on the other.
    file = json.loads(bonds.read_text())
    [keys] = file["bonds"].values()
    keys["ltk"]["value"] = "00" * 16
    bonds.write_text(json.dumps(file))
    air.programs.start("daemon")
    air.wait_for("refused")
    device = air.live.device()
    assert (device["why"], device["next"]) == (FORGOTTEN_THERE, f"fob pair {air.url}")

    air.fob("pair", air.url, "--yes")
    air.wait_for("ready")


def test_a_daemon_without_its_controller_says_so(air: Air) -> None:
    air.programs.kill("air")
    time.sleep(1)
    done = air.live.run(installed("fob"), "devices", "--scan", check=False)
    words = done.stderr.decode().splitlines()
    assert words[0] == "error: nothing was scanned"
    assert words[1].startswith(f"why:   there is no Bluetooth controller at unix-client:{air.live.folder}/air: ")
