"""A new user's machine, whose daemon runs and has no phone."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from fob_daemon.cli.checks.finding import Machine


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A new user's, whose daemon runs and has no phone; systemd runs too."""
    (tmp_path / "run/systemd/system").mkdir(parents=True)
    environment = {"HOME": str(tmp_path), "PATH": os.environ["PATH"], "GIT_CONFIG_NOSYSTEM": "1"}
    environment["XDG_STATE_HOME"] = str(tmp_path / "state")
    control, provider, agent = (tmp_path / f"{name}.sock" for name in ("control", "provider", "agent"))
    status = {"version": "0.1.0", "pid": 77, "agent_logged_in": False, "hci": "", "devices": []}
    return Machine(environment, 1000, tmp_path, control, provider, agent, status)


@pytest.fixture
def agent(machine: Machine) -> Iterator[None]:
    """Somebody listens for ssh."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(machine.agent))
        listener.listen()
        yield
