"""The packages that Bluetooth needs and the base installation lacks: extras of the distribution (pyproject.toml)."""

from collections.abc import Sequence
from importlib.util import find_spec
from typing import Final

BLUETOOTH: Final = ("bleak", "bleak_retry_connector", "dbus_fast")
# For a controller that BlueZ has not, and for the virtual radio.
RADIO: Final = ("bumble",)


def missing_packages(*, own_controller: bool) -> list[str]:
    """Those that are not installed."""
    needed = BLUETOOTH + RADIO if own_controller else BLUETOOTH
    return [name for name in needed if find_spec(name) is None]


def words_for(packages: Sequence[str]) -> str:
    """Why it cannot be done, for one package or several."""
    names = ", ".join(f"'{name}'" for name in packages)
    kind, are = ("package", "is") if len(packages) == 1 else ("packages", "are")
    return f"it needs the {kind} {names}, which {are} not installed"


def install_command(*, own_controller: bool) -> str:
    """All at once, whatever is there already."""
    return f"pip install 'fobd[{'bluetooth,radio' if own_controller else 'bluetooth'}]'"
