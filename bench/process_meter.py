"""What a running process uses, from /proc."""

from pathlib import Path
from typing import Final

KIB_PER_MIB: Final = 1024


def resident_mib(pid: int) -> float:
    """Resident memory in MiB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        name, _, value = line.partition(":")
        if name == "VmRSS":
            return int(value.split()[0]) / KIB_PER_MIB
    raise ValueError(f"process {pid} has no VmRSS")


def cpu_seconds(pid: int) -> float:
    """Time on a processor, all threads that live now, in seconds to the nanosecond."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9
