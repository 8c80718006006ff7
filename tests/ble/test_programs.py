"""Three programs: the air, the phone, and the daemon with a controller of its own; they die and come back."""

import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import pytest

from fob_daemon.demo.scratch import TOKEN_LABEL, Scratch
from fob_daemon.link.ble.hci.bonds_file import BONDS_FILE
from fob_daemon.link.ble.radio import FORGOTTEN_THERE
from fob_device.ports.ble.station import static_address
from fob_device.state import open_phone
from support.asking import asking
from support.live import Live
from support.ready_program import PATIENCE, Program, installed

pytestmark = [pytest.mark.slow, pytest.mark.clause("P7"), pytest.mark.timeout(240)]

INTERVAL: Final = "--interval=7.5"
POLL: Final = 0.05
# Seconds in which nobody waits for a radio.
SOON: Final = 2.0


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

    @property
    def bonds_file(self) -> Path:
        """The daemon's."""
        return self.live.scratch.folder / "daemon" / BONDS_FILE

    def bonds(self) -> dict[str, Any]:
        """What it holds, by the device's address."""
        bonds: dict[str, Any] = json.loads(self.bonds_file.read_text())["bonds"]
        return bonds

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


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Scratch:
    """A phone that nobody has used."""
    scratch = Scratch.in_folder(tmp_path_factory.mktemp("made"))
    pins = f"{scratch.user_pin}\n{scratch.so_pin}\n".encode()
    make = (installed("fob-device"), "init", f"--state={scratch.phone}", f"--label={TOKEN_LABEL}", "--pins=-")
    subprocess.run(make, input=pins, check=True, capture_output=True, timeout=PATIENCE)
    return scratch


@pytest.fixture
def air(tmp_path: Path, made: Scratch) -> Iterator[Air]:
    scratch = replace(made, folder=tmp_path)
    shutil.copytree(made.phone, scratch.phone)
    scratch.write_files()
    with scratch.config.open("a") as config:
        config.write(f'[bluetooth]\nhci = "unix-client:{tmp_path}/air"\n')
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
    assert air.bonds_file.stat().st_mode & 0o777 == 0o600
    assert air.bonds()
    assert air.fob("devices")["devices"][0]["url"] == air.url
    assert air.fob("devices", "--scan")["devices"][0]["paired"] == TOKEN_LABEL
    air.live.run(installed("fob"), "keys", "new", "--type=ec:p256", "--label=key")
    air.sign()

    air.fob("unpair", TOKEN_LABEL)
    assert air.bonds() == {}


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
    air.programs.kill("daemon")

    # Another key on this side is none on the other.
    file = json.loads(air.bonds_file.read_text())
    [keys] = file["bonds"].values()
    keys["ltk"]["value"] = "00" * 16
    air.bonds_file.write_text(json.dumps(file))
    air.programs.start("daemon")
    air.wait_for("refused")
    device = air.live.device()
    assert (device["why"], device["next"]) == (FORGOTTEN_THERE, f"fob pair {air.url}")

    air.fob("pair", air.url, "--yes")
    air.wait_for("ready")


def test_a_daemon_that_is_killed_while_somebody_compares_leaves_no_bond(air: Air) -> None:
    with asking(air.live, air.url):
        air.programs.kill("daemon")
    assert air.bonds() == {}
    air.programs.start("daemon")
    assert air.fob("devices")["devices"] == []

    air.fob("pair", air.url, "--yes")
    [bond] = air.bonds().items()
    with asking(air.live, air.url):
        air.programs.kill("daemon")
    assert [bond] == list(air.bonds().items())
    air.programs.start("daemon")
    # By the bond that there was before.
    air.wait_for("ready")

    # What a daemon of an earlier version left.
    air.programs.kill("daemon")
    file = json.loads(air.bonds_file.read_text())
    file["bonds"]["C0:66:77:88:99:AA"] = bond[1]
    air.bonds_file.write_text(json.dumps(file))
    air.programs.start("daemon")
    assert list(air.bonds().items()) == [bond]
    air.wait_for("ready")


def test_a_phone_that_is_killed_while_somebody_compares_has_no_bond(air: Air) -> None:
    with asking(air.live, air.url) as process:
        air.programs.kill("phone")
        assert process.wait(PATIENCE) == 4
    memory = open_phone(air.live.scratch.phone)
    try:
        assert (memory.bonds.all(), len(memory.pairings)) == ([], 0)
    finally:
        memory.close()
    air.programs.start("phone")
    air.fob("pair", air.url, "--yes")
    air.wait_for("ready")


def test_a_second_pairing_is_refused_at_once_and_the_first_goes_on(air: Air) -> None:
    for _ in range(2):
        # The second time it is a phone that is paired.
        with asking(air.live, air.url) as first:
            began = time.monotonic()
            second = air.live.run(installed("fob"), "pair", air.url.lower(), "--yes", check=False)
            assert time.monotonic() - began < SOON
            assert (second.returncode, second.stderr.decode().splitlines()) == (
                1,
                [
                    "error: not paired",
                    f"why:   a pairing with this device is under way already, on {air.url}",
                    f"try:   fob pair {air.url}    (when that one has ended)",
                ],
            )
            assert first.stdin is not None
            first.stdin.write(b"y\n")
            assert first.wait(PATIENCE) == 0
        air.wait_for("ready")


def test_keys_that_others_can_read_stop_the_daemon(air: Air) -> None:
    air.fob("pair", air.url, "--yes")
    air.programs.kill("daemon")
    air.bonds_file.chmod(0o644)
    start = (installed("fobd"), f"--config={air.live.scratch.config}")
    done = subprocess.run(start, capture_output=True, timeout=PATIENCE, check=False, text=True)
    assert done.returncode == 1
    assert f"{air.bonds_file} is a secret, and mode 0644 opens it to other users" in done.stderr
    assert f"chmod 600 {air.bonds_file}" in done.stderr
    air.bonds_file.chmod(0o600)
    air.programs.start("daemon")
    air.wait_for("ready")


def test_unpairing_while_the_phone_is_away_says_that_it_still_trusts_this_computer(air: Air) -> None:
    air.fob("pair", air.url, "--yes")
    air.programs.kill("phone")
    air.wait_for("away")
    answer = air.fob("unpair", TOKEN_LABEL)
    assert (answer["device"], answer["phone_forgot"]) == (TOKEN_LABEL, False)
    assert answer["why"].startswith("the phone was not told (")
    assert answer["why"].endswith("): it still trusts this computer")
    again = f"fob pair {air.url} --name {TOKEN_LABEL} && fob unpair {TOKEN_LABEL}"
    assert answer["next"].endswith(f"' on the phone    (or, when it is near: {again})")
    assert air.bonds() == {}

    air.programs.start("phone")
    air.fob("pair", air.url, "--name", TOKEN_LABEL, "--yes")
    air.wait_for("ready")
    assert air.fob("unpair", TOKEN_LABEL) == {"device": TOKEN_LABEL, "phone_forgot": True, "why": "", "next": ""}


def test_a_daemon_without_its_controller_says_so(air: Air) -> None:
    air.programs.kill("air")
    time.sleep(1)
    done = air.live.run(installed("fob"), "devices", "--scan", check=False)
    words = done.stderr.decode().splitlines()
    assert words[0] == "error: nothing was scanned"
    assert words[1].startswith(f"why:   there is no Bluetooth controller at unix-client:{air.live.folder}/air: ")
