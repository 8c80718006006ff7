"""`make test-vm`: Fob on a real kernel, BlueZ and systemd; one line a scenario. See README.md."""

import argparse
import importlib
import sys
import tempfile
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Final

from vm.bench import Bench
from vm.disk import make_disk
from vm.errors import GuestGoneError, VmError
from vm.guest_shell import Guest
from vm.image import ROOT, Image, build_image, find_image
from vm.machine import booted
from vm.programs import radio_on_air
from vm.progress import Progress

# In the order of running: what the later ones stand on comes first.
SCENARIOS: Final = ("air", "use", "reconnect", "bond", "orphan", "bluetoothd", "stranger", "unit", "rfcomm")

LOGS: Final = ROOT / "build" / "vm"


def main() -> int:
    """Exit status 0 if every scenario passed, 1 if one failed, 2 if the machine did not work."""
    parser = argparse.ArgumentParser(prog="python -m vm", description=__doc__)
    parser.add_argument("scenarios", nargs="*", metavar="SCENARIO", help=f"all if none: {', '.join(SCENARIOS)}")
    parser.add_argument("--shell", action="store_true", help="run the commands of standard input in the guest instead")
    arguments = parser.parse_args()
    if unknown := set(arguments.scenarios) - set(SCENARIOS):
        parser.error(f"no such scenario: {', '.join(sorted(unknown))}")
    LOGS.mkdir(parents=True, exist_ok=True)
    progress = Progress()
    try:
        with (
            tempfile.TemporaryDirectory(prefix="fob-vm-") as folder,
            (LOGS / "log").open("w", buffering=1, encoding="utf-8") as log,
        ):
            failed = run(arguments.scenarios or SCENARIOS, arguments.shell, Path(folder), log, progress)
    except VmError as error:
        print(f"test-vm: {error}", file=sys.stderr)
        return 2
    if failed:
        print(f"test-vm: failed: {', '.join(failed)}; every command is in {LOGS / 'log'}", file=sys.stderr)
    return 1 if failed else 0


def run(names: Sequence[str], is_shell: bool, folder: Path, log: IO[str], progress: Progress) -> list[str]:
    """Boot once, run each scenario; those that failed. Raises VmError."""
    image = find_image() or _build(progress)
    with progress.step("fob's disk (about 3 s)"):
        disk = make_disk(folder)
    with radio_on_air(folder, log) as radio:
        progress.begin("boot (about 40 s without KVM)")
        with booted(image, disk, radio.socket, LOGS / "console", log) as guest:
            progress.end("ok")
            if is_shell:
                shell(guest)
                return []
            bench = Bench(guest, radio, folder, log)
            with progress.step("install fob's units"):
                bench.install()
            return [name for name in names if not passes(name, bench, progress)]


def passes(name: str, bench: Bench, progress: Progress) -> bool:
    """Run one scenario on a computer that knows no phone; why it failed is printed. Raises GuestGoneError."""
    scenario = importlib.import_module(f"vm.scenarios.{name}")
    bench.log.write(f"\n=== {name}: {scenario.__doc__}\n")
    try:
        with progress.step(name):
            bench.clear()
            scenario.run(bench)
    except GuestGoneError:
        raise
    except Exception:
        traceback.print_exc()
        bench.guest.run("journalctl --boot --no-pager --lines=200 --unit=fobd --unit=bluetooth --unit=fob-vm-radio")
        return False
    return True


def shell(guest: Guest) -> None:
    """For a person who looks around."""
    for line in sys.stdin:
        if line.strip():
            print(guest.run(line.strip()), flush=True)


def _build(progress: Progress) -> Image:
    with progress.step("image, once (about 70 s)"):
        return build_image()


if __name__ == "__main__":
    sys.exit(main())
