"""Whether this machine runs the guest by itself or has to emulate its processor."""

import os
import subprocess
from pathlib import Path
from typing import Final

QEMU: Final = "qemu-system-x86_64"
KVM: Final = ("-accel", "kvm", "-cpu", "host")
EMULATION: Final = ("-accel", "tcg,thread=multi", "-cpu", "max")

# A kernel without a root file system panics, which ends QEMU, a second or two after it began on working hardware.
TRIAL: Final = "panic=-1 root=none"
TRIAL_TIME: Final = 10.0


def acceleration(kernel: Path) -> tuple[str, ...]:
    """KVM if this kernel gets to its end with it: a machine in a cloud may have a /dev/kvm that only fails."""
    return KVM if os.access("/dev/kvm", os.R_OK | os.W_OK) and _panics(kernel) else EMULATION


def _panics(kernel: Path) -> bool:
    arguments = ["-nodefaults", "-display", "none", "-no-reboot", "-machine", "q35", "-m", "512M", *KVM]
    try:
        trial = subprocess.run(
            [QEMU, *arguments, "-kernel", str(kernel), "-append", TRIAL],
            capture_output=True,
            timeout=TRIAL_TIME,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return False
    return trial.returncode == 0
