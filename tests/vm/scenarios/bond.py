"""A bond that either side has lost is recognised and explained, and healed by the one command that is named."""

from vm.bench import Bench


def run(bench: Bench) -> None:
    """The phone forgets, then the PC."""
    with bench.phone("bond") as phone:
        url = bench.pair(phone)
        bench.new_key("work")

        phone.kill()
        phone.forget_bonds()
        phone.switch_on()
        explained(bench, "the phone has forgotten this computer's Bluetooth bond", url)
        healed(bench, url)

        phone.kill()
        bench.await_away()
        bench.guest.check(f"bluetoothctl remove {url.removeprefix('ble:')}")
        phone.switch_on()
        explained(bench, "this computer has lost its Bluetooth bond with the phone", url)
        healed(bench, url)


def explained(bench: Bench, words: str, url: str) -> None:
    """`fob status` says what happened and what to do."""
    bench.note(f"'{words}' said after {bench.await_why(words):.1f} s")
    assert f"fob pair {url}" in bench.guest.check("fob status")


def healed(bench: Bench, url: str) -> None:
    """One command, and the old key signs."""
    bench.fob(f"pair {url} --yes", timeout=90.0)
    bench.await_ready()
    bench.sign("work")
