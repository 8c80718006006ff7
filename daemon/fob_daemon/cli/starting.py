"""How a person starts the daemon: by systemd where it runs, else by hand."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Final

START: Final = "systemctl --user start fobd    (or: fobd &)"
RESTART: Final = "systemctl --user restart fobd"
BY_HAND: Final = "fobd &    (at each log-in)"

# sd_booted(3).
_BOOTED: Final = "run/systemd/system"


def has_systemd(environment: Mapping[str, str], root: Path = Path("/")) -> bool:
    """Whether it runs this computer, and can be asked; in many containers it is installed, and does not run."""
    return (root / _BOOTED).is_dir() and shutil.which("systemctl", path=environment.get("PATH")) is not None


def start_command(environment: Mapping[str, str]) -> str:
    """What a person types on this computer."""
    return START if has_systemd(environment) else BY_HAND
