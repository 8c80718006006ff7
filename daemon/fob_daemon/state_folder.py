"""The folder of what the daemon keeps: nobody else may write there, and one daemon at a time uses it."""

import fcntl
import os
from pathlib import Path
from typing import Final

from fob_daemon.permissions import make_own_folder, require_own_folder
from fob_daemon.start_error import StartError

LOCK_FILE: Final = "lock"
LOCK_MODE: Final = 0o600
# The longest process id of Linux has 7 digits.
_PID_SIZE: Final = 16


class StateInUseError(StartError):
    """Another daemon uses the folder."""


class StateFolder:
    """An open folder. The kernel ends its lock with the process, however that dies."""

    def __init__(self, path: Path) -> None:
        """Make the folder if there is none, and lock it. Raises StartError, OSError."""
        make_own_folder(path)
        require_own_folder(path)
        self.path = path
        self._lock = os.open(path / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, LOCK_MODE)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise self._in_use() from None
        self._write_pid(str(os.getpid()))

    def close(self) -> None:
        """Let another daemon have it."""
        self._write_pid("")
        os.close(self._lock)

    def _in_use(self) -> StateInUseError:
        """Who has the lock writes its process id right after; an empty file is a daemon in between."""
        pid = os.pread(self._lock, _PID_SIZE, 0).decode("ascii", "replace")
        os.close(self._lock)
        if not pid.isdecimal():
            return StateInUseError(f"another fobd uses {self.path}", "pgrep -a fobd")
        return StateInUseError(f"another fobd, process {pid}, uses {self.path}", f"kill {pid}")

    def _write_pid(self, pid: str) -> None:
        os.truncate(self._lock, 0)
        os.pwrite(self._lock, pid.encode(), 0)
