"""`fob devices --scan`: what is near, for people and for scripts."""

import pytest

from cli.fob_program import FobProgram
from control.fake_daemon import FakeDaemon
from fob_daemon.cli.scan import bars
from fob_daemon.control.errors import ControlError
from fob_daemon.control.interface import NearbyReport

PIXEL = NearbyReport("ble:C0:11:22:33:44:55", "Ada's phone", -58, "pixel")
TABLET = NearbyReport("ble:C0:66:77:88:99:AA", "Tablet", -91, None)


@pytest.mark.clause("P7")
async def test_a_person_sees_name_signal_and_what_is_paired(fob: FobProgram, daemon: FakeDaemon) -> None:
    daemon.nearby = [PIXEL, TABLET]

    ended = await fob("devices", "--scan")

    assert (ended.code, ended.err) == (0, "try:   fob pair ble:C0:66:77:88:99:AA\n")
    assert ended.out == (
        "NAME         SIGNAL         PAIRED  URL\n"
        "Ada's phone  -58 dBm  ▂▄▆█  pixel   ble:C0:11:22:33:44:55\n"
        "Tablet       -91 dBm  ▂···  no      ble:C0:66:77:88:99:AA\n"
    )
    assert daemon.scanned == [4]


async def test_a_script_gets_the_same(fob: FobProgram, daemon: FakeDaemon) -> None:
    daemon.nearby = [PIXEL]

    assert (await fob("devices", "--scan", "--json")).json == {
        "devices": [{"url": "ble:C0:11:22:33:44:55", "name": "Ada's phone", "rssi": -58, "paired": "pixel"}]
    }


async def test_who_scans_says_for_how_long(fob: FobProgram, daemon: FakeDaemon) -> None:
    for seconds in ("1", "10"):
        assert (await fob("devices", "--scan", "--seconds", seconds)).code == 0
    assert daemon.scanned == [1, 10]

    for arguments in (("--scan", "--seconds", "0"), ("--scan", "--seconds", "11"), ("--seconds", "5")):
        assert (await fob("devices", *arguments)).code == 2
    assert daemon.scanned == [1, 10]


async def test_nothing_near(fob: FobProgram, daemon: FakeDaemon) -> None:
    ended = await fob("devices", "--scan")

    assert (ended.code, ended.out) == (0, "")
    assert ended.err == "No device is near.    try: switching Bluetooth on at the phone\n"
    assert (await fob("--json", "devices", "--scan")).json == {"devices": []}


async def test_a_computer_without_bluetooth_says_so(fob: FobProgram, daemon: FakeDaemon) -> None:
    daemon.scan_error = ControlError(
        "nothing was scanned", "the Bluetooth service is not running", "sudo systemctl start bluetooth"
    )

    ended = await fob("devices", "--scan")

    assert ended.code == 1
    assert ended.error == [
        "nothing was scanned",
        "the Bluetooth service is not running",
        "sudo systemctl start bluetooth",
    ]


@pytest.mark.parametrize(
    ("rssi", "shown"),
    [(-127, "····"), (-101, "····"), (-100, "▂···"), (-85, "▂▄··"), (-75, "▂▄▆·"), (-65, "▂▄▆█"), (20, "▂▄▆█")],
)
def test_bars(rssi: int, shown: str) -> None:
    assert bars(rssi) == shown
