"""One process at a time at a path, told by a lock on a file beside it (flock(2)), which its owner's death releases."""

import contextlib
import errno
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

LOCK_SUFFIX: Final = ".lock"


@contextlib.contextmanager
def path_lock(place: Path) -> Iterator[None]:
    """Hold `place` within the block. Raises OSError; EBUSY, with the owner's number, while another process has it."""
    path = Path(f"{place}{LOCK_SUFFIX}")
    descriptor = _open_locked(place, path)
    try:
        os.truncate(descriptor, 0)
        os.write(descriptor, b"%d\n" % os.getpid())
        yield
    finally:
        # Removed before it is let go of: whoever gets the lock of a file that is gone looks again.
        path.unlink(missing_ok=True)
        os.close(descriptor)


def _open_locked(place: Path, path: Path) -> int:
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_at(descriptor, path):
                return descriptor
        except BlockingIOError:
            owner = os.read(descriptor, 20).decode("ascii", "replace").strip()
            os.close(descriptor)
            raise OSError(errno.EBUSY, f"in use by process {owner}", str(place)) from None
        os.close(descriptor)


def _is_at(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.lstat())
    except FileNotFoundError:
        return False
