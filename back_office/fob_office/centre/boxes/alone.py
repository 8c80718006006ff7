"""One process at a time works in a folder: what two of them remember there would undo each other."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from fob_office.centre.next_step import STATUS
from fob_office.errors import OperatorError

# Seconds: one whose supervisor was killed ends by itself, and the next one waits for it.
PATIENCE: Final = 5.0
_PAUSE: Final = 0.05


@contextmanager
def alone_in(folder: Path, patience: float = PATIENCE) -> Iterator[None]:
    """Raises OperatorError: there is no such folder, or another process has it, `patience` seconds long."""
    what = f"{folder.name} does not start"
    try:
        # The lock is of the folder itself: no file in it has to be made for that, and none can be taken away.
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise OperatorError(what, f"{folder}: {error.strerror}", f"ls -ld {folder}") from None
    try:
        if not locked(descriptor, patience):
            raise OperatorError(what, f"another process works in {folder}", STATUS)
        yield
    finally:
        os.close(descriptor)


def locked(descriptor: int, patience: float) -> bool:
    """Whether this process has it now. Raises OSError."""
    end = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= end:
                return False
            time.sleep(_PAUSE)
        else:
            return True
