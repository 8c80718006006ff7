"""What is open to other users, and what the daemon therefore does not start with."""

import os
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from fob_daemon.cli.checks.finding import Finding, Machine, Outcome
from fob_daemon.cli.checks.fix import Run
from fob_daemon.integrity.files import KEY_FILE, STATE_FILE
from fob_daemon.link.ble.hci.bonds_file import BONDS_FILE
from fob_daemon.permissions import PermissionsError, require_own_folder, require_secret

# The daemon's key for all pairings, those of its Bluetooth bonds, and what it proves its own copy by.
SECRETS: Final = ("identity.key", BONDS_FILE, KEY_FILE, STATE_FILE)

_MENDS: Final = "chmod"
# unix(7): no file, but a name that the kernel keeps.
_ABSTRACT: Final = "@"


def check_permissions(machine: Machine) -> Iterator[Finding]:
    """By the daemon's own rules, whether it runs or not; nothing is said where all is well."""
    sockets = (machine.control, machine.provider, machine.agent)
    folders = [path.parent for path in sockets if not str(path).startswith(_ABSTRACT)]
    secrets: list[Path] = []
    if machine.state is not None:
        folders.append(machine.state)
        secrets += [machine.state / name for name in SECRETS]
    for folder in dict.fromkeys(folders):
        yield from _check(folder, _require_own_folder)
    for path in secrets:
        yield from _check(path, require_secret)


def _require_own_folder(folder: Path, _: os.stat_result) -> None:
    require_own_folder(folder)


def _check(path: Path, require: Callable[[Path, os.stat_result], None]) -> Iterator[Finding]:
    """What is not there will be made as it has to be; what another user has is for a daemon of theirs."""
    try:
        found = path.stat()
        if found.st_uid == os.getuid():
            require(path, found)
    except OSError:
        return
    except PermissionsError as error:
        command = tuple(shlex.split(error.next_command))
        fix = Run(command) if command[0] == _MENDS else None
        yield Finding(
            Outcome.FAIL, f"{path} is open to other users", f"{error}; fobd does not start with that",
            error.next_command, fix,
        )  # fmt: skip
