"""The daemon's configuration: the file that it has read, or that a service would. Would it start with that?"""

import os
import shlex
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from fob_daemon.cli.checks.finding import Finding, Machine, Outcome
from fob_daemon.cli.checks.fix import Write
from fob_daemon.cli.setting_up.systemd import configuration_draft, is_enabled
from fob_daemon.config import ConfigError, load_standing_config

# systemd/system/fobd.service.
_OF_THE_MACHINE: Final = "etc/fob/fobd.toml"
_DEFAULTS: Final = "the daemon has read no file: the defaults hold"
_WHAT: Final = "fobd does not start with its configuration"


def check_configuration(machine: Machine) -> Iterator[Finding]:
    """Of a daemon that runs the file that it has read; without one the person's file, and the machine's."""
    own = configuration_draft(machine.person)
    is_missing = not os.path.exists(own.path) and is_enabled(machine.person)
    if is_missing:
        yield Finding(
            Outcome.FAIL, _WHAT, f"{own.path} is not there, and its unit names it", "fob setup", Write((own,))
        )
    # An older daemon does not say.
    read = machine.status.get("configuration") if machine.status is not None else None
    if read is None:
        yield from _of_services(machine, own.path, is_missing=is_missing)
    elif not (is_missing and read == str(own.path)):
        yield _of_running(machine, read, own.path)


def _of_services(machine: Machine, own: Path, *, is_missing: bool) -> Iterator[Finding]:
    found = [path for path in (own, machine.root / _OF_THE_MACHINE) if os.path.exists(path)]
    if not found and not is_missing:
        yield Finding(Outcome.SKIP, "configuration", f"there is no {own}: the defaults hold")
    for path in found:
        yield _check(machine, path)


def _of_running(machine: Machine, read: str, own: Path) -> Finding:
    """`read`: the file, empty when it goes by the defaults; `own`: what it reads when it is told no other one."""
    if not read:
        return _not_read(machine, own) if os.path.exists(own) else Finding(Outcome.SKIP, "configuration", _DEFAULTS)
    file = Path(read)
    try:
        is_file = stat.S_ISREG(file.stat().st_mode)
    except FileNotFoundError:
        why = f"{file} is not there any more, and the daemon that runs has read it"
        return Finding(Outcome.FAIL, _WHAT, why, f"put {shlex.quote(read)} back, and then: {machine.restart}")
    except OSError:
        return _check(machine, file)
    if not is_file:
        return Finding(Outcome.SKIP, "configuration", f"{file}, which the daemon has read, is no file")
    return _check(machine, file)


def _not_read(machine: Machine, own: Path) -> Finding:
    found = _check(machine, own)
    if found.outcome is not Outcome.OK:
        return found
    why = f"it goes by the defaults, and has not read {own}"
    return Finding(Outcome.WARN, "the daemon has not read its configuration", why, machine.restart)


def _check(machine: Machine, path: Path) -> Finding:
    if not os.access(path, os.R_OK):
        return Finding(Outcome.SKIP, "configuration", f"this user may not read {path}")
    try:
        load_standing_config(path)
    except ConfigError as error:
        remedy = f"mend {shlex.quote(str(path))} (docs/configuration.md), and then: {machine.restart}"
        return Finding(Outcome.FAIL, _WHAT, str(error), remedy)
    return Finding(Outcome.OK, "configuration", str(path))
