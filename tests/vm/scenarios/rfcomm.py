"""A classic Bluetooth serial port is a serial line as any other: `serial:/dev/rfcomm0`, from the hardened unit.

Two emulated classic adapters (btvirt) are the two ends of the air; the phone runs in the guest too, on a terminal
device that a small program joins to the RFCOMM connection.
"""

import re

from vm.bench import Bench
from vm.programs import RULES, SO_PIN, USER_PIN

CHANNEL = 1
LINE = "/run/phone-line"
URL = "serial:/dev/rfcomm0"


def run(bench: Bench) -> None:
    """Pair and sign over RFCOMM."""
    guest = bench.guest
    guest.start("btvirt", "btvirt -B -l2")
    try:
        guest.until("test -e /sys/class/bluetooth/hci2")
        near, far = (address_of(bench, f"hci{number}") for number in (1, 2))
        switch_phone_on(bench)
        guest.start("serial-phone", f"python3 /fob/guest/serial_phone.py {far} {CHANNEL} {LINE}")
        guest.until("journalctl --unit=serial-phone --output=cat | grep -q listening")
        guest.check(f"rfcomm -i {near} bind /dev/rfcomm0 {far} {CHANNEL}")
        guest.until("test -c /dev/rfcomm0 && stat --format=%G /dev/rfcomm0 | grep -q dialout")
        bench.fob(f"pair {URL} --yes", timeout=90.0)
        bench.await_ready()
        bench.new_key("classic")
        bench.sign("classic")
        assert bench.device()["url"] == URL
    finally:
        guest.run("systemctl stop fobd.service; rfcomm release /dev/rfcomm0; systemctl stop serial-phone phone btvirt")


def switch_phone_on(bench: Bench) -> None:
    """A phone in the guest."""
    bench.guest.write("/run/phone/pins", f"{USER_PIN}\n{SO_PIN}\n")
    bench.guest.write("/run/phone/rules.toml", RULES)
    bench.guest.check("chmod 600 /run/phone/rules.toml; rm -rf /run/phone/memory")
    bench.guest.check("fob-device init --state /run/phone/memory --label classic --pins /run/phone/pins")
    arguments = f"--state /run/phone/memory --port pty:{LINE} --rules /run/phone/rules.toml"
    bench.guest.start("phone", f"--property=Type=notify fob-device run {arguments}")


def address_of(bench: Bench, adapter: str) -> str:
    """An adapter's address; it is switched on and can be connected with."""
    bench.guest.check(f"hciconfig {adapter} up pscan")
    shown = bench.guest.check(f"hciconfig {adapter}")
    found = re.search(r"BD Address: (\S+)", shown)
    assert found, shown
    return found[1]
