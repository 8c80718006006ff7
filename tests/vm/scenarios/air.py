"""The radio reaches the guest: BlueZ's own program finds a phone by its address, name and service."""

from vm.bench import Bench

SERVICE = "f0b50001-2c8e-4b6a-9d17-3e5a6c70b1e4"


def run(bench: Bench) -> None:
    """Scan and look."""
    with bench.phone("air") as phone:
        bench.guest.check("bluetoothctl --timeout 6 scan le")
        address = bench.guest.check("bluetoothctl devices").split()[1]
        shown = bench.guest.check(f"bluetoothctl info {address}")
        assert phone.label in shown
        assert SERVICE in shown
        assert "(random)" in shown
