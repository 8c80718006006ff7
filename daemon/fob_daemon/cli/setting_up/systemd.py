"""The daemon as a service of the person's own: systemd has its sockets and starts it when somebody comes."""

import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from fob_daemon.cli.changes import files
from fob_daemon.cli.changes.change import Change
from fob_daemon.cli.changes.link import Link
from fob_daemon.cli.changes.own_file import OwnFile
from fob_daemon.cli.programs import run_program
from fob_daemon.cli.setting_up.person import Person
from fob_daemon.control.errors import ControlError

SOCKETS: Final = ("fobd-provider.socket", "fobd-agent.socket", "fobd-control.socket")
SERVICE: Final = "fobd.service"

# How the service file calls the program, where no person has put it elsewhere.
_PLACE: Final = "ExecStart=%h/.local/bin/fobd "
_MARK: Final = "# Fob: `fob setup` wrote this; `fob setup --undo` removes it.\n"
_DRAFT: Final = "# Fob's configuration: what stands here goes before the defaults (docs/configuration.md).\n"
_TIME: Final = 20.0

# A wheel has them beside the code, the source tree at its top.
_FOLDERS: Final = (Path(__file__).parents[2] / "systemd_user", Path(__file__).parents[4] / "systemd/user")
_UDEV_FOLDERS: Final = (Path(__file__).parents[2] / "systemd_udev", Path(__file__).parents[4] / "systemd/udev")
RULE: Final = "60-fob.rules"


def systemd_changes(person: Person) -> Sequence[Change]:
    """Units, their links, and an empty configuration. Raises ControlError where the units are not there."""
    folder = person.configuration / "systemd/user"
    return (
        configuration_draft(person),
        *(OwnFile(folder / name, _unit(name)) for name in (*SOCKETS, SERVICE)),
        *(Link(_wants(person) / name, folder / name) for name in SOCKETS),
    )


def configuration_draft(person: Person) -> OwnFile:
    """The file that the units name: an empty one is the person's from then on."""
    return OwnFile(person.configuration / "fob/fobd.toml", _DRAFT, files.PRIVATE, is_first_draft=True)


def is_enabled(person: Person) -> bool:
    """Whether the person's systemd has the sockets, or would have them if it ran."""
    return all((_wants(person) / name).exists() for name in SOCKETS)


def udev_rule() -> Path:
    """The rule that keeps ModemManager away, where this program has it."""
    return next((folder / RULE for folder in _UDEV_FOLDERS if (folder / RULE).exists()), _UDEV_FOLDERS[-1] / RULE)


def read_units(environment: Mapping[str, str]) -> bool:
    """Those that are there now; False where there is no systemd of the person's."""
    return _systemctl(environment, "daemon-reload")


def listen(environment: Mapping[str, str]) -> bool:
    """At the sockets; False where it does not."""
    return read_units(environment) and _systemctl(environment, "start", *SOCKETS)


def stop_listening(environment: Mapping[str, str]) -> bool:
    """The daemon that came of it ends too; False where nobody listened."""
    return _systemctl(environment, "stop", *SOCKETS)


def program() -> str:
    """The daemon that belongs to this `fob`."""
    beside = Path(sys.executable).with_name("fobd")
    return str(beside) if beside.exists() else shutil.which("fobd") or str(beside)


def _wants(person: Person) -> Path:
    return person.configuration / "systemd/user/sockets.target.wants"


def _unit(name: str) -> str:
    for folder in _FOLDERS:
        text = files.read(folder / name)
        if text is not None:
            return _MARK + text.replace(_PLACE, f"ExecStart={_escaped(program())} ")
    raise ControlError("the systemd units were not found", f"neither {_FOLDERS[0]} nor {_FOLDERS[1]}", "fob doctor")


def _escaped(path: str) -> str:
    """A program of systemd.service(5), in which % begins a specifier and $ a variable."""
    escaped = path.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{escaped}"' if escaped != path or " " in path else path


def _systemctl(environment: Mapping[str, str], *arguments: str) -> bool:
    try:
        done = run_program(("systemctl", "--user", *arguments), environment, seconds=_TIME)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
