"""A daemon that was installed without the extras: one command installs all that its Bluetooth needs."""

import subprocess
from pathlib import Path

import pytest

from daemon.running import running
from fob_daemon.demo.processes import program
from fob_daemon.demo.scratch import Scratch
from support.base_install import without

pytestmark = pytest.mark.clause("P7")

BLUEZ = ""
OWN_CONTROLLER = '[bluetooth]\nhci = "unix-client:/nowhere"\n'
ALL = ("bleak", "bleak_retry_connector", "dbus_fast", "bumble")


@pytest.mark.parametrize(
    ("configuration", "missing", "why", "extras"),
    [
        (
            BLUEZ,
            ALL,
            "it needs the packages 'bleak', 'bleak_retry_connector', 'dbus_fast', which are not installed",
            "bluetooth",
        ),
        (
            OWN_CONTROLLER,
            ALL,
            "it needs the packages 'bleak', 'bleak_retry_connector', 'dbus_fast', 'bumble', which are not installed",
            "bluetooth,radio",
        ),
        (OWN_CONTROLLER, ("bumble",), "it needs the package 'bumble', which is not installed", "bluetooth,radio"),
    ],
    ids=["BlueZ", "a controller of its own", "the other extra alone"],
)
def test_the_next_command_installs_everything_at_once(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    configuration: str,
    missing: tuple[str, ...],
    why: str,
    extras: str,
) -> None:
    scratch = Scratch.in_folder(tmp_path)
    scratch.write_files(configuration)
    monkeypatch.setenv("PYTHONPATH", without(missing, tmp_path)["PYTHONPATH"])
    monkeypatch.setenv("FOB_CONTROL_SOCKET", str(scratch.socket("control")))
    with running(scratch):
        for command in (("devices", "--scan"), ("pair", "ble:C0:11:22:33:44:55")):
            done = subprocess.run(program("fob", *command), capture_output=True, text=True, timeout=60, check=False)
            assert done.returncode != 0
            assert done.stderr.splitlines()[-2:] == [
                f"why:   Bluetooth cannot be used: {why}",
                f"try:   pip install 'fobd[{extras}]'",
            ]
