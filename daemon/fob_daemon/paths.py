"""Where things are, for the daemon and for its command line: one place, no imports that take time."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

CONTROL_VARIABLE = "FOB_CONTROL_SOCKET"


@dataclass(frozen=True, slots=True)
class Paths:
    """The state folder (0700) and the three sockets."""

    state: Path
    provider: Path
    agent: Path
    control: Path


def default_paths(environment: Mapping[str, str] = os.environ) -> Paths:
    """The paths of this user's daemon; systemd's StateDirectory and RuntimeDirectory go before the XDG folders."""
    runtime = _runtime(environment)
    control = environment.get(CONTROL_VARIABLE)
    return Paths(
        state=_state(environment),
        provider=runtime / "provider.sock",
        agent=runtime / "agent.sock",
        control=Path(control) if control else runtime / "control.sock",
    )


def _runtime(environment: Mapping[str, str]) -> Path:
    if "RUNTIME_DIRECTORY" in environment:
        return Path(environment["RUNTIME_DIRECTORY"])
    if "XDG_RUNTIME_DIR" in environment:
        return Path(environment["XDG_RUNTIME_DIR"]) / "fob"
    return Path("/run/fob") if os.getuid() == 0 else Path(f"/run/user/{os.getuid()}/fob")


def _state(environment: Mapping[str, str]) -> Path:
    if "STATE_DIRECTORY" in environment:
        return Path(environment["STATE_DIRECTORY"])
    if "XDG_STATE_HOME" in environment:
        return Path(environment["XDG_STATE_HOME"]) / "fob"
    return Path("/var/lib/fob") if os.getuid() == 0 else Path.home() / ".local/state/fob"
