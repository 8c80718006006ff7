"""The guest's second disk: Fob as `pip install` leaves it, its systemd files, and the programs of the tests."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from vm.errors import VmError
from vm.image import ROOT

SIZE: Final = "64M"
GUEST_PYTHON: Final = "#!/usr/bin/python3\n"


def make_disk(folder: Path) -> Path:
    """An ext4 image in `folder` with this tree's state, mounted at /fob in the guest. Raises VmError."""
    stage = folder / "fob"
    options = ("--quiet", "--quiet", "--disable-pip-version-check", "--root-user-action", "ignore")
    target = ("--no-deps", "--no-compile", "--target", str(stage / "python"))
    _run([sys.executable, "-m", "pip", "install", *options, *target, str(ROOT)])
    for script in (stage / "python" / "bin").iterdir():
        _, rest = script.read_text(encoding="utf-8").split("\n", 1)
        script.write_text(GUEST_PYTHON + rest, encoding="utf-8")
    shutil.copytree(ROOT / "systemd", stage / "systemd")
    shutil.copytree(Path(__file__).parent / "guest", stage / "guest", ignore=shutil.ignore_patterns("__pycache__"))
    disk = folder / "fob.img"
    mkfs = shutil.which("mke2fs") or "/usr/sbin/mke2fs"
    _run([mkfs, "-q", "-t", "ext4", "-E", "root_owner=0:0", "-d", str(stage), str(disk), SIZE])
    return disk


def _run(command: list[str]) -> None:
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        raise VmError(f"the disk with Fob was not made:\n{done.stdout}")
