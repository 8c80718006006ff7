"""Where things are, for the daemon and for its command line: one place, no imports that take time."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

CONTROL_VARIABLE: Final = "FOB_CONTROL_SOCKET"
_CONTROL: Final = "control.sock"
_ROOT: Final = 0


@dataclass(frozen=True, slots=True)
class Paths:
    """The state folder (0700) and the three sockets."""

    state: Path
    provider: Path
    agent: Path
    control: Path


def default_paths(environment: Mapping[str, str] = os.environ) -> Paths:
    """Where this user's daemon listens; systemd's StateDirectory and RuntimeDirectory go before the XDG folders.

    Raises RuntimeError for a user without a home folder.
    """
    return _paths(environment, _runtime_folders(environment)[0])


def daemon_paths(environment: Mapping[str, str] = os.environ) -> Paths:
    """Where this user's daemon is found: it may have started before the user's runtime folder was there.

    Raises RuntimeError for a user without a home folder.
    """
    folders = _runtime_folders(environment)
    return _paths(environment, next((folder for folder in folders if (folder / _CONTROL).exists()), folders[0]))


def configuration_file(environment: Mapping[str, str] = os.environ) -> Path:
    """This user's own (XDG Base Directory): `fobd` reads it where it is told no other one.

    Raises RuntimeError for a user without a home folder.
    """
    given = environment.get("XDG_CONFIG_HOME")
    return (Path(given) if given else Path.home() / ".config") / "fob/fobd.toml"


def _paths(environment: Mapping[str, str], runtime: Path) -> Paths:
    control = environment.get(CONTROL_VARIABLE)
    return Paths(
        state=_state(environment),
        provider=runtime / "provider.sock",
        agent=runtime / "agent.sock",
        control=Path(control) if control else runtime / _CONTROL,
    )


def _runtime_folders(environment: Mapping[str, str]) -> list[Path]:
    """Folders for sockets, the best one first. One that is there for every user comes last, so none is missing."""
    if "RUNTIME_DIRECTORY" in environment:
        return [Path(environment["RUNTIME_DIRECTORY"])]
    user = os.getuid()
    last = Path("/run/fob") if user == _ROOT else _state(environment) / "run"
    given = environment.get("XDG_RUNTIME_DIR") or ("" if user == _ROOT else f"/run/user/{user}")
    # After `su` it may be missing, or another user's; in a container nobody makes it.
    return [Path(given) / "fob", last] if given and os.access(given, os.W_OK | os.X_OK) else [last]


def _state(environment: Mapping[str, str]) -> Path:
    if "STATE_DIRECTORY" in environment:
        return Path(environment["STATE_DIRECTORY"])
    if given := environment.get("XDG_STATE_HOME"):
        return Path(given) / "fob"
    return Path("/var/lib/fob") if os.getuid() == _ROOT else Path.home() / ".local/state/fob"
