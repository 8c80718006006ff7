"""One supervisor at a time in a data centre."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from fob_office.centre.boxes.alone import locked
from fob_office.centre.next_step import STATUS
from fob_office.errors import OperatorError
from fob_office.secrets.private_file import OWNER_ONLY

FILE: Final = "supervisor.lock"
# Seconds: whoever only looks whether there is one has it for an instant.
_PATIENCE: Final = 0.5


@contextmanager
def supervising(centre: Path) -> Iterator[None]:
    """Raises OperatorError: another one is at work; OSError."""
    with _opened(centre) as descriptor:
        if not locked(descriptor, _PATIENCE):
            command = STATUS
            raise OperatorError("the data centre runs already", f"another process has {centre}", command)
        yield


def is_supervised(centre: Path) -> bool:
    """Whether there is one at work. Raises OSError."""
    if not (centre / FILE).exists():
        return False
    with _opened(centre) as descriptor:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


@contextmanager
def _opened(centre: Path) -> Iterator[int]:
    descriptor = os.open(centre / FILE, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, OWNER_ONLY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
