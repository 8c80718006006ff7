"""The devices and the Bluetooth that some are reached by: where that is broken, no phone is at fault."""

from collections.abc import Iterator

from fob_daemon.cli.checks.bluetooth import check_bluetooth
from fob_daemon.cli.checks.daemon import check_devices
from fob_daemon.cli.checks.finding import Finding, Machine, Outcome


def check_links(machine: Machine) -> Iterator[Finding]:
    """Bluetooth is looked at first, and told last."""
    bluetooth = tuple(check_bluetooth(machine))
    radio_fails = any(finding.outcome is Outcome.FAIL for finding in bluetooth)
    yield from check_devices(machine, radio_fails=radio_fails)
    yield from bluetooth
