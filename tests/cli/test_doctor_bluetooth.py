"""`fob doctor` and Bluetooth: each step of the way to BlueZ, over a real message bus, and controllers of one's own."""

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from dbus_fast import Variant

from cli.fob_program import FobProgram
from control.fake_daemon import FakeDaemon
from control.fake_phone import FakePhone
from fob_daemon.cli.checks import bluez as bluez_module
from fob_daemon.cli.checks import controller as controller_module
from fob_daemon.cli.checks.bluetooth import UNUSED, check_bluetooth
from fob_daemon.cli.checks.finding import Finding, Machine, Outcome
from fob_daemon.control.interface import LineReport, LineState
from fob_daemon.link.ble.errors import DENIED, NO_BLUEZ, NO_BUS
from fob_device.radio.radio import Radio
from fob_device.radio.server import serve_hosts
from support.base_install import without
from support.fake_bluez import ADAPTER, FakeBlueZ, fake_bluez, system_bus

pytestmark = pytest.mark.clause("P7")

OK, WARN, FAIL, SKIP = Outcome.OK, Outcome.WARN, Outcome.FAIL, Outcome.SKIP
PHONE = "ble:C0:11:22:33:44:55"
ADDRESS = "02:00:00:00:00:01"
BUS_THERE = Finding(OK, "D-Bus", "the system bus is there")


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A machine with a phone that is paired by radio, and bluetoothd on its disk."""
    service = tmp_path / "usr/libexec/bluetooth/bluetoothd"
    service.parent.mkdir(parents=True)
    service.touch()
    control, provider, agent = (tmp_path / f"{name}.sock" for name in ("control", "provider", "agent"))
    return Machine({}, 1000, tmp_path, control, provider, agent, status(PHONE))


def status(*urls: str, hci: str = "") -> dict[str, object]:
    return {"hci": hci, "devices": [{"url": urls[0], "lines": [{"url": url} for url in urls]}] if urls else []}


def with_controller(machine: Machine, hci: str) -> Machine:
    return replace(machine, status=status(hci=hci))


async def findings(machine: Machine) -> list[Finding]:
    """What the doctor says, while the test's own services go on in this loop."""
    return await asyncio.to_thread(lambda: list(check_bluetooth(machine)))


async def after_the_packages(machine: Machine) -> list[Finding]:
    first, *others = await findings(machine)
    assert (first.outcome, first.what) == (OK, "Bluetooth packages")
    return others


@pytest.fixture
def bus(tmp_path: Path) -> Iterator[str]:
    """The system bus."""
    with system_bus(tmp_path) as address:
        yield address


@pytest.fixture
async def bluez(bus: str) -> AsyncIterator[FakeBlueZ]:
    async with fake_bluez(bus) as bluez:
        yield bluez


def adapter(address: str = ADDRESS, *, powered: bool, state: str | None = None) -> dict[str, Variant]:
    properties = {"Address": Variant("s", address), "Powered": Variant("b", powered)}
    return properties | ({} if state is None else {"PowerState": Variant("s", state)})


async def test_who_does_not_use_it_hears_one_quiet_line(machine: Machine) -> None:
    for unused in (status(), status("serial:/dev/ttyUSB7", "tcp:127.0.0.1:4000")):
        assert await findings(replace(machine, status=unused)) == [Finding(SKIP, "Bluetooth", UNUSED)]
    (unknown,) = await findings(replace(machine, status=None))
    assert (unknown.outcome, unknown.why) == (SKIP, "the daemon is not reachable")


async def test_a_radio_that_stands_by_beside_a_cable_is_looked_at_too(machine: Machine, bluez: FakeBlueZ) -> None:
    assert len(await findings(replace(machine, status=status("serial:/dev/ttyUSB7", PHONE)))) > 1


async def test_all_is_well(machine: Machine, bluez: FakeBlueZ) -> None:
    bluez.adapters[ADAPTER] = adapter(powered=True)

    packages, *others = await findings(machine)

    assert packages.why.startswith("bleak 3.")
    assert others == [
        BUS_THERE,
        Finding(OK, "bluetoothd", "it answers"),
        Finding(OK, f"Bluetooth adapter hci0 ({ADDRESS})", "it is on"),
    ]


async def test_there_is_no_bus(machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={tmp_path}/nothing")

    assert await after_the_packages(machine) == [
        Finding(FAIL, "the D-Bus system bus cannot be reached", NO_BUS, "sudo systemctl start dbus")
    ]


async def test_bluetoothd_does_not_run(machine: Machine, bus: str) -> None:
    what = "the Bluetooth service cannot be asked"
    assert await after_the_packages(machine) == [
        BUS_THERE,
        Finding(FAIL, what, NO_BLUEZ, "sudo systemctl start bluetooth"),
    ]

    (machine.root / "usr/libexec/bluetooth/bluetoothd").unlink()

    assert await after_the_packages(machine) == [
        BUS_THERE,
        Finding(FAIL, what, "bluetoothd is not installed", "sudo apt install bluez"),
    ]


async def test_this_user_may_not_use_bluetooth(machine: Machine, bluez: FakeBlueZ) -> None:
    bluez.refusal = "org.freedesktop.DBus.Error.AccessDenied"

    assert (await after_the_packages(machine))[1:] == [
        Finding(
            FAIL,
            "the Bluetooth service cannot be asked",
            DENIED,
            'sudo usermod --append --groups bluetooth "$USER"',
        )
    ]


async def test_a_bluetoothd_that_hangs_does_not_hang_the_doctor(
    machine: Machine, bluez: FakeBlueZ, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bluez_module, "STACK_TIME", 0.1)
    bluez.is_silent = True

    assert (await after_the_packages(machine))[1:] == [
        Finding(
            FAIL,
            "the Bluetooth service cannot be asked",
            "asking the Bluetooth service took longer than 0.1 s",
            "sudo systemctl restart bluetooth",
        )
    ]


async def test_there_is_no_adapter(machine: Machine, bluez: FakeBlueZ) -> None:
    bluez.adapters = {}

    trouble = (await after_the_packages(machine))[-1]

    assert (trouble.outcome, trouble.what) == (FAIL, "there is no Bluetooth adapter")
    assert trouble.next == "sudo dmesg | grep -i bluetooth"


@pytest.mark.parametrize(
    ("state", "why", "command"),
    [
        (None, "nobody has powered it on", "bluetoothctl power on"),
        ("off", "nobody has powered it on", "bluetoothctl power on"),
        ("off-blocked", "a switch or rfkill holds it off", "rfkill unblock bluetooth"),
    ],
)
async def test_the_adapter_is_off(
    machine: Machine, bluez: FakeBlueZ, state: str | None, why: str, command: str
) -> None:
    bluez.adapters[ADAPTER] = adapter(powered=False, state=state)

    what = f"the Bluetooth adapter hci0 ({ADDRESS}) is off"
    assert (await after_the_packages(machine))[-1] == Finding(FAIL, what, why, command)


async def test_one_adapter_that_is_on_is_enough(machine: Machine, bluez: FakeBlueZ) -> None:
    bluez.adapters[ADAPTER] = adapter(powered=False)
    bluez.adapters["/org/bluez/hci1"] = adapter("02:00:00:00:00:02", powered=True)

    assert [finding.outcome for finding in (await after_the_packages(machine))[-2:]] == [SKIP, OK]


@pytest.mark.parametrize(
    ("hci", "packages", "why", "extras"),
    [
        ("", ("dbus_fast",), "it needs the package 'dbus_fast', which is not installed", "bluetooth"),
        ("", ("bumble",), None, None),
        (
            "unix-client:/tmp/air",
            ("bleak", "bumble"),
            "it needs the packages 'bleak', 'bumble', which are not installed",
            "bluetooth,radio",
        ),
    ],
)
async def test_packages_that_are_missing(
    fob: FobProgram, daemon: FakeDaemon, phone: FakePhone, tmp_path: Path,
    hci: str, packages: tuple[str, ...], why: str | None, extras: str | None,
) -> None:  # fmt: skip
    pair_by_radio(daemon)
    daemon.hci = hci
    fob.environment["PYTHONPATH"] = without(packages, tmp_path)["PYTHONPATH"]

    found = [f for f in (await fob("--json", "doctor")).json["findings"] if f["what"] == "Bluetooth cannot be used"]

    expected = {
        "outcome": "fail",
        "what": "Bluetooth cannot be used",
        "why": why,
        "next": f"pip install 'fobd[{extras}]'",
        "fix": None,
    }
    assert found == ([] if why is None else [expected])


async def test_the_program_says_all_of_it(fob: FobProgram, daemon: FakeDaemon, phone: FakePhone, bus: str) -> None:
    pair_by_radio(daemon)
    fob.environment["DBUS_SYSTEM_BUS_ADDRESS"] = bus

    async with fake_bluez(bus) as bluez:
        bluez.adapters[ADAPTER] = adapter(powered=False)
        ended = await fob("doctor")

    assert (
        "ok    D-Bus: the system bus is there\n"
        "ok    bluetoothd: it answers\n"
        f"fail  the Bluetooth adapter hci0 ({ADDRESS}) is off\n"
        "      why:   nobody has powered it on\n"
        "      try:   bluetoothctl power on\n"
    ) in ended.out
    assert (ended.code, ended.err) == (1, "Some of this can be mended at once.    try: fob doctor --fix\n")


def pair_by_radio(daemon: FakeDaemon) -> None:
    line = LineReport(PHONE, LineState.AWAY, "", "")
    daemon.devices["pixel"] = replace(daemon.devices["pixel"], lines=(line,))


# Controllers of the daemon's own.


async def test_a_virtual_controller_answers(machine: Machine, tmp_path: Path) -> None:
    radio = Radio()
    server = await serve_hosts(radio, str(tmp_path / "air"))
    (found,) = await after_the_packages(with_controller(machine, f"unix-client:{tmp_path}/air"))
    assert found == Finding(OK, f"Bluetooth controller unix-client:{tmp_path}/air", "it answers")
    await asyncio.sleep(0.1)
    assert radio.devices == (), "the doctor leaves nothing on the air"
    server.close()


# One command more is allowed, the opcode, status 0, and versions (Core 5.4, vol. 4, part E, 7.4.1).
COMPLETE = bytes.fromhex("040e0c 01 0110 00 0d0000 0d 0f00 0000".replace(" ", ""))
NO_CONTROLLER = controller_module.NO_CONTROLLER


@contextmanager
def listening(answer: bytes | None) -> Iterator[str]:
    """Something listens at a TCP port; `answer` to whatever comes, None: silence."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            client, _ = server.accept()
            with client:
                client.recv(16)
                if answer is None:
                    client.recv(16)
                else:
                    client.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"tcp-client:127.0.0.1:{server.getsockname()[1]}"
        thread.join()


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (COMPLETE, ""),
        (b"\x04\xff\x02\x01\x02" + COMPLETE, ""),
        (b"\x04\x0e\x0c", NO_CONTROLLER),
        (COMPLETE[:-1], NO_CONTROLLER),
        (COMPLETE.replace(b"\x01\x10\x00", b"\x01\x10\x01"), NO_CONTROLLER),
        (COMPLETE.replace(b"\x01\x10\x00", b"\x03\x0c\x00"), NO_CONTROLLER),
        (b"\x04\xff\x00" * 17 + COMPLETE, NO_CONTROLLER),
        (b"\x04" + bytes(range(200)), NO_CONTROLLER),
        (b"HTTP/1.1 400", NO_CONTROLLER),
        (b"", NO_CONTROLLER),
        (None, "no answer in 0.1 s"),
    ],
)
async def test_a_controller_on_the_network(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, answer: bytes | None, why: str
) -> None:
    if answer is None:
        monkeypatch.setattr(controller_module, "ANSWER_TIME", 0.1)
    with listening(answer) as name:
        (found,) = await after_the_packages(with_controller(machine, name))
    assert (found.outcome, found.why) == ((FAIL, why) if why else (OK, "it answers"))


@pytest.mark.parametrize(
    ("name", "path", "look"),
    [
        ("hci-socket:0", "sys/class/bluetooth/hci0", "ls -l /sys/class/bluetooth/hci0"),
        ("serial:/dev/ttyACM0,1000000", "dev/ttyACM0", "ls -l /dev/ttyACM0"),
    ],
)
async def test_a_controller_that_is_plugged_in(machine: Machine, name: str, path: str, look: str) -> None:
    on_it = with_controller(machine, name)
    (missing,) = await after_the_packages(on_it)
    assert missing == Finding(
        FAIL,
        f"the Bluetooth controller {name} is not there",
        f"there is no {machine.root / path}",
        f"plug it in, and then: {look}",
    )

    (machine.root / path).parent.mkdir(parents=True)
    (machine.root / path).touch()

    (found,) = await after_the_packages(on_it)
    assert found.outcome is OK


async def test_a_socket_that_nobody_listens_at(machine: Machine, tmp_path: Path) -> None:
    (found,) = await after_the_packages(with_controller(machine, f"unix-client:{tmp_path}/air"))

    assert found == Finding(
        FAIL,
        f"the Bluetooth controller unix-client:{tmp_path}/air does not answer",
        "No such file or directory",
        f"start what listens there, and then: ls -l {tmp_path}/air",
    )


async def test_what_usb_has_is_not_known(machine: Machine) -> None:
    (found,) = await after_the_packages(with_controller(machine, "usb:0"))

    assert (found.outcome, found.next) == (SKIP, "lsusb")
