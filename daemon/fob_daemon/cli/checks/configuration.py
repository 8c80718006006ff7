"""The daemon's configuration, where a service reads it: would the daemon start with it?"""

import os
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from fob_daemon.cli.checks.finding import Finding, Machine, Outcome
from fob_daemon.cli.checks.fix import Write
from fob_daemon.cli.setting_up.systemd import configuration_draft, is_enabled
from fob_daemon.config import ConfigError, load_standing_config

# systemd/system/fobd.service.
_OF_THE_MACHINE: Final = "etc/fob/fobd.toml"
_WHAT: Final = "fobd does not start with its configuration"


def check_configuration(machine: Machine) -> Iterator[Finding]:
    """The person's file, and the machine's; of another one that `fobd --config` names the daemon itself speaks."""
    own = configuration_draft(machine.person)
    found = [path for path in (own.path, machine.root / _OF_THE_MACHINE) if os.path.exists(path)]
    if own.path not in found and is_enabled(machine.person):
        yield Finding(
            Outcome.FAIL, _WHAT, f"{own.path} is not there, and its unit names it", "fob setup", Write((own,))
        )
    elif not found:
        yield Finding(Outcome.SKIP, "configuration", f"there is no {own.path}: the defaults hold")
    for path in found:
        yield _check(machine, path)


def _check(machine: Machine, path: Path) -> Finding:
    if not os.access(path, os.R_OK):
        return Finding(Outcome.SKIP, "configuration", f"this user may not read {path}")
    try:
        load_standing_config(path)
    except ConfigError as error:
        remedy = f"mend {shlex.quote(str(path))} (docs/configuration.md), and then: {machine.restart}"
        return Finding(Outcome.FAIL, _WHAT, str(error), remedy)
    return Finding(Outcome.OK, "configuration", str(path))
