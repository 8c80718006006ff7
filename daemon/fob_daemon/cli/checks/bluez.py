"""The way to BlueZ: the system bus, bluetoothd on it, an adapter that is on. Needs the extra `bluetooth`."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from fob_daemon.cli.checks.finding import Finding, Outcome
from fob_daemon.cli.checks.fix import Run
from fob_daemon.link.ble.bluez.bus import ADAPTER, BlueZBus, Interfaces
from fob_daemon.link.ble.deadlines import STACK_TIME, deadline
from fob_daemon.link.ble.errors import NO_BLUEZ, NO_BUS, explained
from fob_daemon.link.transport import LineUnavailableError

# Where distributions have bluetoothd.
_SERVICES: Final = (
    "usr/libexec/bluetooth/bluetoothd",
    "usr/lib/bluetooth/bluetoothd",
    "usr/lib/bluez/bluetooth/bluetoothd",
    "usr/sbin/bluetoothd",
)

_UNBLOCK: Final = ("rfkill", "unblock", "bluetooth")
_POWER_ON: Final = ("bluetoothctl", "power", "on")

# What Adapter1.PowerState says of one that rfkill(8) holds off (BlueZ 5.65).
_BLOCKED: Final = "off-blocked"


def check_bluez(root: Path) -> Iterator[Finding]:
    """Each step of the way, up to the one that is missing."""
    try:
        objects = asyncio.run(_objects())
    except LineUnavailableError as error:
        if error.why == NO_BUS:
            yield Finding(Outcome.FAIL, "the D-Bus system bus cannot be reached", NO_BUS, error.remedy)
            return
        yield Finding(Outcome.OK, "D-Bus", "the system bus is there")
        yield _service_trouble(error, root)
        return
    yield Finding(Outcome.OK, "D-Bus", "the system bus is there")
    yield Finding(Outcome.OK, "bluetoothd", "it answers")
    yield from _adapters({path: found[ADAPTER] for path, found in objects.items() if ADAPTER in found})


async def _objects() -> dict[str, Interfaces]:
    """All that BlueZ knows. Raises LineUnavailableError."""
    bus = BlueZBus()
    try:
        with explained():
            async with deadline(STACK_TIME, "asking the Bluetooth service"):
                return await bus.objects()
    finally:
        bus.close()


def _service_trouble(error: LineUnavailableError, root: Path) -> Finding:
    what = "the Bluetooth service cannot be asked"
    if error.why == NO_BLUEZ and not any((root / path).exists() for path in _SERVICES):
        return Finding(Outcome.FAIL, what, "bluetoothd is not installed", "sudo apt install bluez")
    return Finding(Outcome.FAIL, what, error.why, error.remedy or "sudo systemctl restart bluetooth")


def _adapters(adapters: dict[str, dict[str, Any]]) -> Iterator[Finding]:
    """One that is on is enough: BlueZ's clients take the first of them."""
    if not adapters:
        why = "BlueZ knows of none: it is not plugged in, or its driver is missing"
        yield Finding(Outcome.FAIL, "there is no Bluetooth adapter", why, "sudo dmesg | grep -i bluetooth")
    is_one_on = any(properties.get("Powered") for properties in adapters.values())
    for path, properties in sorted(adapters.items()):
        name = f"{path.rpartition('/')[2]} ({properties.get('Address', 'no address')})"
        if properties.get("Powered"):
            yield Finding(Outcome.OK, f"Bluetooth adapter {name}", "it is on")
        elif is_one_on:
            yield Finding(Outcome.SKIP, f"Bluetooth adapter {name}", "it is off, and another one is on")
        elif properties.get("PowerState") == _BLOCKED:
            what, why = f"the Bluetooth adapter {name} is off", "a switch or rfkill holds it off"
            yield Finding(Outcome.FAIL, what, why, " ".join(_UNBLOCK), Run(_UNBLOCK))
        else:
            what = f"the Bluetooth adapter {name} is off"
            yield Finding(Outcome.FAIL, what, "nobody has powered it on", " ".join(_POWER_ON), Run(_POWER_ON))
