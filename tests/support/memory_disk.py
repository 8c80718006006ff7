"""Temporary files in memory: an fsync per transaction keeps what tests throw away, and costs a third of their time."""

import os
import tempfile
from pathlib import Path
from typing import Final

SHARED_MEMORY: Final = Path("/dev/shm")
# A whole run writes a tenth of it.
ROOM: Final = 4 << 30


def is_suitable(folder: Path) -> bool:
    """Everybody may make folders in it, programs run from it, and there is room."""
    try:
        file_system = os.statvfs(folder)
    except OSError:
        return False
    return (
        os.access(folder, os.W_OK | os.X_OK)
        and not file_system.f_flag & os.ST_NOEXEC
        and file_system.f_bavail * file_system.f_frsize >= ROOM
    )


def use_memory(folder: Path = SHARED_MEMORY) -> None:
    """For this process and all that it starts, unless somebody has chosen a folder (TMPDIR) or memory is scarce."""
    if "TMPDIR" not in os.environ and is_suitable(folder):
        os.environ["TMPDIR"] = str(folder)
        tempfile.tempdir = None
