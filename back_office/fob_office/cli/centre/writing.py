"""A new file that a command writes."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import BinaryIO, Final

from fob_office.database.troubles import of_system
from fob_office.errors import OperatorError

# What is no secret, and whose writer is its owner alone.
READ_BY_ALL: Final = 0o644


@contextmanager
def new_file(path: Path, mode: int, what: str, command: str) -> Iterator[BinaryIO]:
    """All of it, on the disk, or nothing: `what` then, and `command` is tried again. Raises OperatorError."""
    if path.exists():
        raise OperatorError(what, f"{path} is there already", "choose another file")
    with _written(path, mode, what, command) as opened:
        yield opened


def write_or_replace(path: Path, octets: bytes, mode: int, what: str, command: str) -> None:
    """As `new_file`, also where there is one; into a pipe or a device as it is. Raises OperatorError."""
    if not path.exists() or path.is_file():
        with _written(path.resolve(), mode, what, command) as opened:
            opened.write(octets)
        return
    try:
        path.write_bytes(octets)
    except OSError as error:
        why, known = of_system(error)
        raise OperatorError(what, why, known or command) from None


@contextmanager
def _written(path: Path, mode: int, what: str, command: str) -> Iterator[BinaryIO]:
    part = path.with_name(f".{path.name}.part")
    try:
        with open(part, "wb", opener=partial(os.open, mode=mode)) as opened:
            yield opened
            opened.flush()
            os.fsync(opened.fileno())
        part.replace(path)
    except OSError as error:
        why, known = of_system(error)
        raise OperatorError(what, why, known or command) from None
    finally:
        part.unlink(missing_ok=True)
