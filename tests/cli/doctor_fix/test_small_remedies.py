"""Module file, sockets, adapters and commands: each remedy mends what it is for; what needs root is only named."""

import grp
import stat
from dataclasses import replace

import pytest

from fob_daemon.cli.checks.bluez import _adapters
from fob_daemon.cli.checks.finding import Machine
from fob_daemon.cli.checks.fix import Run
from fob_daemon.cli.checks.p11_kit import check_module_file
from fob_daemon.cli.checks.serial_lines import check_modem_manager
from fob_daemon.cli.checks.sockets import check_sockets
from fob_daemon.cli.setting_up.systemd import udev_rule
from fob_daemon.control.errors import ControlError
from fob_daemon.p11_kit import module_path
from support.remedies import OK, WARN, mended, trouble


def test_the_module_file(machine: Machine) -> None:
    path = module_path(machine.uid, machine.environment, machine.root)
    fix = trouble(check_module_file, machine).fix
    assert fix is not None
    assert fix.lines[0] == f"write {path}"
    assert mended(check_module_file, machine) == [OK]
    moved = replace(machine, provider=machine.root / "elsewhere.sock")
    assert mended(check_module_file, moved) == [OK]


def test_a_module_file_that_is_somebody_else_s_stays(machine: Machine) -> None:
    path = module_path(machine.uid, machine.environment, machine.root)
    path.parent.mkdir(parents=True)
    path.write_text("module: other.so\n")
    (found,) = check_module_file(machine)
    assert (found.outcome, found.next, found.fix) == (WARN, "move it away, and then: fob p11 install", None)
    path.write_text("")
    assert mended(check_module_file, machine) == [OK]


@pytest.mark.parametrize("mode", [0o666, 0o660, 0o606, 0o777])
def test_a_socket_that_is_open_to_others_is_its_owner_s_again(machine: Machine, agent: None, mode: int) -> None:
    machine.agent.chmod(mode)
    found = trouble(check_sockets, machine)
    assert (found.next, found.fix) == (f"chmod 600 {machine.agent}", Run(("chmod", "600", str(machine.agent))))
    assert found.fix is not None
    found.fix.apply()
    assert stat.S_IMODE(machine.agent.stat().st_mode) == 0o600


def test_the_machine_s_sockets_are_for_its_group_and_no_others(
    machine: Machine, agent: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    group = grp.getgrgid(machine.agent.stat().st_gid)
    monkeypatch.setattr(
        grp, "getgrgid", lambda number: {group.gr_gid: grp.struct_group(("fob", "x", number, []))}[number]
    )
    machine.agent.chmod(0o660)
    assert not [finding for finding in check_sockets(machine) if "open to other users" in finding.what]
    machine.agent.chmod(0o666)
    assert trouble(check_sockets, machine).next == f"chmod 660 {machine.agent}"


def test_an_adapter_that_is_off() -> None:
    off, blocked = ({"/org/bluez/hci0": {"Powered": False, "PowerState": state}} for state in ("off", "off-blocked"))
    assert [finding.fix for finding in _adapters(off)] == [Run(("bluetoothctl", "power", "on"))]
    assert [finding.fix for finding in _adapters(blocked)] == [Run(("rfkill", "unblock", "bluetooth"))]


def test_what_needs_root_is_named_in_full(machine: Machine) -> None:
    proc = machine.root / "proc/1"
    proc.mkdir(parents=True)
    (proc / "comm").write_text("ModemManager\n")
    phone = {"name": "pixel", "url": "serial:/dev/ttyUSB0", "lines": []}
    (found,) = check_modem_manager(replace(machine, status={"devices": [phone]}))
    assert (found.needs_root, found.fix) == (True, None)
    assert udev_rule().exists()
    assert str(udev_rule()) in found.next


@pytest.mark.parametrize(
    ("command", "why"),
    [
        (("false",), "false: it ended with 1"),
        (("ls", "/no/such/folder"), "ls: ls: cannot access '/no/such/folder': No such file or directory"),
        (("no-such-program-at-all",), "no-such-program-at-all: No such file or directory"),
    ],
)
def test_a_command_that_fails_says_why(command: tuple[str, ...], why: str) -> None:
    with pytest.raises(ControlError) as caught:
        Run(command).apply()
    assert caught.value.why == why
