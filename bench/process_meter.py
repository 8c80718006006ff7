"""What a running process uses, from /proc."""

import os
from contextlib import suppress
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


def family_cpu_seconds(pid: int) -> float:
    """Time on a processor of a process and its children, also of threads and children that have ended, in ticks."""
    folder = Path(f"/proc/{pid}")
    with suppress(FileNotFoundError, ProcessLookupError):
        # What stands behind the name's bracket begins with field 3 of proc(5); 14 to 17 are the times.
        fields = (folder / "stat").read_text().rpartition(")")[2].split()
        children = (folder / "task" / str(pid) / "children").read_text().split()
        own = sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")
        return own + sum(family_cpu_seconds(int(child)) for child in children)
    return 0.0


def own_cpu_seconds(pid: int) -> float:
    """Time on a processor of one process, also of threads that have ended, in ticks; nothing once it has ended."""
    with suppress(FileNotFoundError, ProcessLookupError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK")
    return 0.0
