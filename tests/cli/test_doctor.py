"""`fob doctor`: each check on a machine that has, or lacks, what it looks for."""

import json
import os
import socket
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cli.fob_program import FobProgram
from control.fake_phone import FakePhone
from fob_daemon.cli.checks import links as links_module
from fob_daemon.cli.checks.clock import check_clock
from fob_daemon.cli.checks.daemon import NEAR, RADIO_FIRST, check_daemon, check_devices
from fob_daemon.cli.checks.finding import Finding, Machine, Outcome
from fob_daemon.cli.checks.links import check_links
from fob_daemon.cli.checks.p11_kit import check_client, check_module_file, offered_version
from fob_daemon.cli.checks.serial_lines import check_modem_manager, check_serial_lines
from fob_daemon.cli.checks.sockets import check_agent_login, check_agent_variable, check_sockets
from fob_daemon.cli.doctor import CHECKS
from fob_daemon.cli.starting import start_command
from fob_daemon.control.errors import ControlError
from fob_daemon.p11_kit import find_client, module_path, module_text

OK, WARN, FAIL, SKIP = Outcome.OK, Outcome.WARN, Outcome.FAIL, Outcome.SKIP

# How a person starts the daemon where the tests run.
START_HERE = start_command(os.environ)


def device(**changes: Any) -> dict[str, Any]:
    return {
        "name": "pixel",
        "state": "ready",
        "why": "",
        "next": "",
        "url": "serial:/dev/ttyUSB7?baud=9600",
        "lines": [],
        "label": "Ada's token",
        "logged_in": False,
        "token_flags": [],
    } | changes


def status(*devices: dict[str, Any]) -> dict[str, Any]:
    return {"version": "0.1.0", "pid": 77, "agent_logged_in": False, "hci": "", "devices": list(devices)}


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A machine with nothing on it but systemd, and a daemon with one phone."""
    (tmp_path / "run/systemd/system").mkdir(parents=True)
    control, provider, agent = (tmp_path / f"{name}.sock" for name in ("control", "provider", "agent"))
    return Machine({"HOME": str(tmp_path)}, 1000, tmp_path, control, provider, agent, status(device()))


def outcomes(findings: Any) -> list[Outcome]:
    return [finding.outcome for finding in findings]


def only(findings: Any) -> Finding:
    (finding,) = findings
    assert isinstance(finding, Finding)
    return finding


def test_every_trouble_says_what_and_why_and_what_next(machine: Machine) -> None:
    refusal = ControlError("the daemon does not answer", "silent", "fob doctor")
    bad = status(device(state="refused", token_flags=["USER_PIN_LOCKED"]), device(token_flags=["LOGIN_REQUIRED"]))
    machines = (
        machine,
        replace(machine, status=None),
        replace(machine, status=None, refusal=refusal),
        replace(machine, status=bad | {"version": "0.0.1", "hci": "unix-client:/nowhere"}),
    )
    for check in CHECKS:
        for finding in (finding for machine in machines for finding in check(machine)):
            assert finding.what, finding
            assert finding.why, finding
            assert (finding.next and finding.next != "fob doctor") or not finding.is_trouble, finding
            assert "try:" not in finding.what + finding.why, finding


def test_daemon(machine: Machine) -> None:
    assert only(check_daemon(machine)) == Finding(OK, "daemon", "fobd 0.1.0, process 77")
    assert only(check_daemon(replace(machine, status=None))).outcome is FAIL
    old = only(check_daemon(replace(machine, status=status() | {"version": "0.0.9"})))
    assert (old.outcome, old.why) == (WARN, "fobd 0.0.9 runs, fob is 0.1.0")


def test_a_daemon_that_hangs_is_not_sent_back_to_the_doctor(machine: Machine) -> None:
    refusal = ControlError("the daemon does not answer", "/run/c: connected, but silent", "fob doctor")
    hung = only(check_daemon(replace(machine, status=None, refusal=refusal)))
    assert hung == Finding(FAIL, refusal.what, refusal.why, "systemctl --user restart fobd")


@pytest.mark.parametrize(
    ("state", "outcome"), [("ready", OK), ("connecting", WARN), ("away", WARN), ("refused", FAIL), ("stopped", FAIL)]
)
def test_devices(machine: Machine, state: str, outcome: Outcome) -> None:
    found = only(check_devices(replace(machine, status=status(device(state=state, why="because")))))

    assert found.outcome is outcome
    url = "serial:/dev/ttyUSB7?baud=9600"
    assert found.why == (f"ready, {url}" if outcome is OK else f"because ({url})")


@pytest.mark.parametrize(
    ("url", "radio_fails", "deed"),
    [
        ("ble:C0:11:22:33:44:55", True, RADIO_FIRST),
        ("ble:C0:11:22:33:44:55", False, NEAR),
        ("serial:/dev/ttyACM0", True, NEAR),
    ],
)
def test_a_phone_is_not_to_blame_for_broken_bluetooth(machine: Machine, url: str, radio_fails: bool, deed: str) -> None:
    # What the daemon's radio says of a controller that sends no HCI leads here.
    for remedy in ("", "fob doctor"):
        away = device(url=url, state="away", why="because", next=remedy)
        found = only(check_devices(replace(machine, status=status(away)), radio_fails=radio_fails))
        assert (found.outcome, found.next) == (WARN, deed)


def test_the_devices_are_told_before_the_bluetooth_that_is_looked_at_for_them(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = Finding(FAIL, "Bluetooth cannot be used", "because")
    monkeypatch.setattr(links_module, "check_bluetooth", lambda machine: iter((broken,)))
    away = device(url="ble:C0:11:22:33:44:55", state="away", why="because")
    told, last = check_links(replace(machine, status=status(away)))
    assert (told.next, last) == (RADIO_FIRST, broken)


@pytest.mark.clause("P7")
def test_a_lost_bond_is_healed_by_the_one_command_that_the_link_names(machine: Machine) -> None:
    url, why = "ble:C0:11:22:33:44:55", "the phone has forgotten this computer's Bluetooth bond"
    lost = device(state="refused", why=why, next=f"fob pair {url}", url=url)
    assert only(check_devices(replace(machine, status=status(lost)))) == Finding(
        FAIL, "device 'pixel' is there and cannot be used", f"{why} ({url})", f"fob pair {url}"
    )


@pytest.mark.clause("P7")
def test_a_radio_that_would_not_stand_in_for_the_cable(machine: Machine) -> None:
    cable, radio = "serial:/dev/ttyUSB7?baud=9600", "ble:C0:11:22:33:44:55"
    lines = [
        {"url": cable, "state": "ready", "why": "", "next": ""},
        {"url": radio, "state": "refused", "why": "the bond is lost", "next": f"fob pair {radio}"},
    ]
    ready, refused = check_devices(replace(machine, status=status(device(lines=lines))))
    assert ready.outcome is OK
    assert refused == Finding(
        WARN, f"device 'pixel' cannot be used by {radio}", "the bond is lost", f"fob pair {radio}"
    )
    lines[1]["state"] = "away"
    assert outcomes(check_devices(replace(machine, status=status(device(lines=lines))))) == [OK]


def test_pins_and_no_devices(machine: Machine) -> None:
    flags = ["USER_PIN_COUNT_LOW", "USER_PIN_LOCKED"]
    assert outcomes(check_devices(replace(machine, status=status(device(token_flags=flags))))) == [OK, FAIL]
    assert outcomes(check_devices(replace(machine, status=status(device(token_flags=flags[:1]))))) == [OK, WARN]
    assert only(check_devices(replace(machine, status=status()))).next == "fob pair URL"
    assert only(check_devices(replace(machine, status=None))).outcome is SKIP


def test_sockets(machine: Machine) -> None:
    assert outcomes(check_sockets(machine)) == [FAIL, FAIL, FAIL]
    machine.agent.write_text("a file")
    with socket.socket(socket.AF_UNIX) as control, socket.socket(socket.AF_UNIX) as dead:
        control.bind(str(machine.control))
        control.listen()
        machine.control.chmod(0o600)
        dead.bind(str(machine.provider))
        machine.provider.chmod(0o600)

        findings = list(check_sockets(machine))
        assert findings[0] == Finding(OK, "control socket", f"{machine.control}, mode 0600")
        assert [(finding.what, finding.why) for finding in findings[1:]] == [
            ("nobody answers at the provider socket", f"{machine.provider}: Connection refused"),
            ("the agent socket is not there", f"{machine.agent} is no socket"),
        ]

        machine.control.chmod(0o666)
        assert next(check_sockets(machine)).next == f"chmod 600 {machine.control}"


def test_agent_variable(machine: Machine) -> None:
    assert only(check_agent_variable(machine)).why == "not set"
    other = replace(machine, environment={"SSH_AUTH_SOCK": "/other"})
    assert only(check_agent_variable(other)).outcome is SKIP
    ours = replace(machine, environment={"SSH_AUTH_SOCK": str(machine.agent)})
    assert only(check_agent_variable(ours)).outcome is OK


def test_ssh_without_a_pin_pad(machine: Machine) -> None:
    locked = status(device(name="my pixel", token_flags=["LOGIN_REQUIRED"]))
    found = only(check_agent_login(replace(machine, status=locked)))
    assert found == Finding(
        WARN,
        "ssh and git cannot use 'my pixel'",
        "it has no PIN pad, and is not unlocked",
        "fob unlock --device 'my pixel'",
    )

    unlocked = status(device(token_flags=["LOGIN_REQUIRED"], logged_in=True)) | {"agent_logged_in": True}
    assert only(check_agent_login(replace(machine, status=unlocked))) == Finding(
        OK, "ssh with 'pixel'", "it is unlocked"
    )
    for_fob_only = unlocked | {"agent_logged_in": False}
    assert only(check_agent_login(replace(machine, status=for_fob_only))).outcome is WARN


def test_ssh_with_a_pin_pad_and_with_a_phone_that_was_never_here(machine: Machine) -> None:
    pad = status(device(token_flags=["LOGIN_REQUIRED", "PROTECTED_AUTHENTICATION_PATH"]))
    assert only(check_agent_login(replace(machine, status=pad))).why == "it asks for its PIN itself"
    assert list(check_agent_login(machine)) == []
    assert list(check_agent_login(replace(machine, status=None))) == []


def test_serial_lines(machine: Machine) -> None:
    missing = only(check_serial_lines(machine))
    assert (missing.outcome, missing.what) == (WARN, f"the serial line {machine.root}/dev/ttyUSB7 is not there")

    line = machine.root / "dev/ttyUSB7"
    line.parent.mkdir()
    line.touch()
    assert only(check_serial_lines(machine)).outcome is OK

    tcp = replace(machine, status=status(device(url="tcp:127.0.0.1:4000")))
    assert outcomes([*check_serial_lines(tcp), *check_modem_manager(tcp)]) == [SKIP, SKIP]


def test_a_serial_line_that_may_not_be_opened(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    line = machine.root / "dev/ttyUSB7"
    line.parent.mkdir()
    line.touch()
    # Root may open everything: the kernel's answer is stood in for.
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != line)

    found = only(check_serial_lines(machine))

    assert (found.outcome, "dialout" in found.next) == (FAIL, True)


def test_modem_manager(machine: Machine) -> None:
    process = machine.root / "proc/123"
    process.mkdir(parents=True)
    (process / "comm").write_text("bash\n")
    assert only(check_modem_manager(machine)).why == "does not run"

    (process / "comm").write_text("ModemManager\n")
    assert only(check_modem_manager(machine)).outcome is WARN

    rules = machine.root / "etc/udev/rules.d"
    rules.mkdir(parents=True)
    (rules / "60-fob.rules").touch()
    assert only(check_modem_manager(machine)).outcome is OK


def test_module_file(machine: Machine) -> None:
    assert only(check_module_file(machine)).next == "fob p11 install"
    path = module_path(machine.uid, machine.environment, machine.root)
    path.parent.mkdir(parents=True)

    path.write_text("remote: unix:path=/elsewhere\n")
    assert only(check_module_file(machine)).outcome is WARN

    path.write_text(module_text(str(machine.provider)))
    assert only(check_module_file(machine)).outcome is OK


def test_no_p11_kit(machine: Machine) -> None:
    assert only(check_client(machine)).next == "apt install p11-kit-modules"


def test_the_real_client_says_its_version_and_what_it_drops(machine: Machine) -> None:
    client = find_client()
    assert client is not None, "p11-kit-modules is in tools/debian-packages.txt"
    version = offered_version(client)
    assert version in (0, 1, 2)

    module, mechanisms = check_client(replace(machine, root=Path("/")))

    assert f"RPC version {version}, p11-kit 0.2" in module.why
    assert mechanisms.outcome is (WARN if version == 0 else OK)
    assert ("ECDH1_DERIVE" in mechanisms.why) == (version == 0)
    assert "EDDSA" in mechanisms.why


def test_what_is_no_module_says_no_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fob_daemon.cli.checks.p11_kit.COMMAND_TIME", 0.5)
    (tmp_path / "p11-kit-client.so").write_text("not a library")

    assert offered_version(tmp_path / "p11-kit-client.so") is None


def test_clock(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    assert only(check_clock(machine)).outcome is SKIP
    synchronized = machine.root / "run/systemd/timesync/synchronized"
    synchronized.parent.mkdir(parents=True)
    synchronized.touch()
    assert only(check_clock(machine)).outcome is OK
    monkeypatch.setattr(time, "time", lambda: 0.0)
    assert only(check_clock(machine)).outcome is FAIL


async def test_the_report_for_a_script_and_for_a_person(fob: FobProgram, phone: FakePhone) -> None:
    script, person = await fob("--json", "doctor"), await fob("doctor")

    findings = json.loads(script.out)["findings"]
    assert (findings[0]["outcome"], findings[0]["what"], findings[0]["next"]) == ("ok", "daemon", "")
    assert findings[0]["why"].startswith("fobd 0.1.0, process ")
    # The fake daemon serves neither programs nor ssh.
    assert (script.code, person.code) == (1, 1)
    assert person.out.splitlines()[0].startswith("ok    daemon: fobd 0.1.0, process ")
    assert (
        "fail  the provider socket is not there\n"
        f"      why:   {fob.folder}/provider.sock: No such file or directory\n"
        f"      try:   {START_HERE}\n"
    ) in person.out


async def test_without_a_daemon_the_doctor_still_looks(lonely_fob: FobProgram) -> None:
    ended = await lonely_fob("doctor")

    assert ended.code == 1
    assert ended.out.splitlines()[:3] == [
        "fail  the daemon is not reachable",
        f"      why:   {lonely_fob.control}: No such file or directory",
        f"      try:   {START_HERE}",
    ]
