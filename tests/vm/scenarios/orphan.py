"""BlueZ keeps no bond that no pairing proved: the daemon killed while somebody compares, a second pairing refused."""

from vm.bench import Bench
from vm.scenarios.bond import explained, healed

SAID = "/tmp/pairing"
PAIRING = "fob-vm-pairing"


def run(bench: Bench) -> None:
    """Kill at the first pairing, refuse a second one, kill at a third."""
    guest = bench.guest
    with bench.phone("orphan") as phone:
        url = bench.find(phone)
        address = url.removeprefix("ble:")
        bonded = f"bluetoothctl devices Bonded | grep {address}"

        kill_at_the_comparison(bench, url)
        bench.note(f"the bond is gone {guest.until(f'! {bonded}'):.1f} s after the daemon was back")

        bench.fob(f"pair {url} --yes", timeout=90.0)
        bench.await_ready()
        bench.new_key("work")
        guest.check(bonded)

        said = guest.refuse(f"echo n | fob pair {url} 2>&1", timeout=90.0)
        assert "This replaces the Bluetooth bond with 'orphan'." in said
        assert "the codes were not equal; the earlier Bluetooth bond with 'orphan' is gone" in said
        guest.check(f"! {bonded}")
        explained(bench, "this computer has lost its Bluetooth bond with the phone", url)
        healed(bench, url)

        kill_at_the_comparison(bench, url)
        guest.until(f"! {bonded}")
        explained(bench, "this computer has lost its Bluetooth bond with the phone", url)
        healed(bench, url)
        guest.check(bonded)


def kill_at_the_comparison(bench: Bench, url: str) -> None:
    """The bond is made, nobody has answered, and the daemon dies."""
    guest = bench.guest
    guest.check(f"rm -f {SAID}")
    guest.start(PAIRING, f"sh -c 'sleep 600 | fob pair {url} >{SAID} 2>&1'")
    guest.until(f"grep -q 'y/n' {SAID}", timeout=90.0)
    guest.check(f"bluetoothctl devices Bonded | grep {url.removeprefix('ble:')}")
    guest.check("systemctl kill --signal=KILL fobd.service")
    guest.check(f"systemctl stop {PAIRING}.service")
    guest.until("fob devices")
