"""Bluetooth: looked at where it is used. Its packages, and then BlueZ or a controller of the daemon's own."""

from collections.abc import Iterator, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Final

from fob_daemon.cli.checks.controller import check_controller
from fob_daemon.cli.checks.finding import Finding, Machine, Outcome
from fob_daemon.link.packages import BLUETOOTH, RADIO, install_command, missing_packages, words_for
from fob_protocol.link.controller import Controller

UNUSED: Final = "not used: no device is paired by it, and no controller for it is configured"


def check_bluetooth(machine: Machine) -> Iterator[Finding]:
    """One quiet line where nobody uses it."""
    if machine.status is None:
        yield Finding(Outcome.SKIP, "Bluetooth", "the daemon is not reachable")
        return
    if not machine.uses_bluetooth:
        yield Finding(Outcome.SKIP, "Bluetooth", UNUSED)
        return
    own = bool(machine.hci)
    missing = missing_packages(own_controller=own)
    if missing:
        why = words_for(missing)
        yield Finding(Outcome.FAIL, "Bluetooth cannot be used", why, install_command(own_controller=own))
        return
    yield Finding(Outcome.OK, "Bluetooth packages", _versions(BLUETOOTH + RADIO if own else BLUETOOTH))
    if own:
        yield from check_controller(Controller.parse(machine.hci), machine.root)
        return
    # Its libraries take a third of a second to load.
    from fob_daemon.cli.checks.bluez import check_bluez

    yield from check_bluez(machine.root)


def _versions(packages: Sequence[str]) -> str:
    return ", ".join(f"{name} {_version(name)}".strip() for name in packages)


def _version(package: str) -> str:
    """Empty where the package says none."""
    try:
        return version(package)
    except PackageNotFoundError:
        return ""
