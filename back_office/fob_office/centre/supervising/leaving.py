"""A meter box that an operator is about to remove: the supervisor gives its slots to others while it still answers.

A file with its name, which the operator's command keeps locked: where that one dies, nobody leaves any more.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from fob_office.centre.boxes.alone import PATIENCE, locked
from fob_office.errors import OperatorError
from fob_office.secrets.private_file import OWNER_ONLY

FILE: Final = "leaving"
_NAME_LIMIT: Final = 256


@contextmanager
def leaving(centre: Path, name: str) -> Iterator[None]:
    """While it is open. Raises OperatorError: another one is being removed; OSError."""
    descriptor = os.open(centre / FILE, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, OWNER_ONLY)
    try:
        if not locked(descriptor, PATIENCE):
            raise OperatorError("nothing was removed", "another meter box is being removed", "wait for its end")
        os.ftruncate(descriptor, 0)
        os.write(descriptor, name.encode())
        yield
    finally:
        os.close(descriptor)


def who_leaves(centre: Path) -> str | None:
    """None: nobody. Raises OSError."""
    try:
        descriptor = os.open(centre / FILE, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        return None if locked(descriptor, 0) else os.read(descriptor, _NAME_LIMIT).decode(errors="replace")
    finally:
        os.close(descriptor)
