"""Serial devices: are they there, may we open them, and does ModemManager leave them alone?"""

import os
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from fob_daemon.cli.checks.finding import Finding, Machine, Outcome
from fob_daemon.cli.setting_up.systemd import RULE, udev_rule

_RULE_FOLDERS: Final = ("etc/udev/rules.d", "run/udev/rules.d", "usr/lib/udev/rules.d", "lib/udev/rules.d")


def check_serial_lines(machine: Machine) -> Iterator[Finding]:
    """Each paired phone's serial device."""
    if not machine.serial_lines:
        yield Finding(Outcome.SKIP, "serial lines", "no phone is paired over one")
    for line in machine.serial_lines:
        path = machine.root / line.relative_to("/") if line.is_absolute() else line
        yield _check(path)


def check_modem_manager(machine: Machine) -> Iterator[Finding]:
    """It sends AT commands to every new serial device and holds it for ten seconds."""
    if not machine.serial_lines:
        yield Finding(Outcome.SKIP, "ModemManager", "no phone is paired over a serial line")
    elif not _is_running(machine.root / "proc", "ModemManager"):
        yield Finding(Outcome.OK, "ModemManager", "does not run")
    elif any((machine.root / folder / RULE).exists() for folder in _RULE_FOLDERS):
        yield Finding(Outcome.OK, "ModemManager", f"runs, and {RULE} keeps it away")
    else:
        yield Finding(
            Outcome.WARN,
            "ModemManager probes serial lines",
            "it sends its own commands to each new one, and holds it for ten seconds",
            f"sudo install -m 644 {shlex.quote(str(udev_rule()))} /etc/udev/rules.d/ && sudo udevadm control --reload",
        )


def _check(path: Path) -> Finding:
    # Unlike Path.exists, no error where the folder is closed to this user.
    if not os.path.exists(path):
        return Finding(
            Outcome.WARN,
            f"the serial line {path} is not there",
            "the phone is not plugged in, or has another name now",
            "plug the phone in, or pair it where it is now: fob pair URL",
        )
    if not os.access(path, os.R_OK | os.W_OK):
        return Finding(
            Outcome.FAIL,
            f"the serial line {path} cannot be opened",
            "this user may not read and write it",
            'sudo adduser "$USER" dialout, then log in again',
        )
    return Finding(Outcome.OK, f"serial line {path}", "can be opened")


def _is_running(proc: Path, program: str) -> bool:
    for comm in proc.glob("[0-9]*/comm"):
        try:
            if comm.read_text(encoding="utf-8", errors="replace").strip() == program:
                return True
        except OSError:
            continue  # it ended meanwhile
    return False
