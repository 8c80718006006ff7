"""Small files that must survive a power cut, and secrets in files."""

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from fob_daemon.permissions import require_secret


def write_durably(path: Path, content: bytes) -> None:
    """Old content or new, never a mix, readable by its owner only. Raises OSError."""
    beside = _beside(path)
    try:
        _write(beside, content)
        beside.replace(path)
    except OSError:
        _unlink(beside)
        raise
    flush_folder(path.parent)


def flush_folder(folder: Path) -> None:
    """So that what was renamed in it stays so. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def require_room(path: Path, size: int) -> None:
    """Raises OSError when `size` octets could not be written durably to `path` now."""
    beside = _beside(path)
    try:
        _write(beside, bytes(size))
    finally:
        _unlink(beside)


def _beside(path: Path) -> Path:
    return path.with_name(path.name + ".new")


def _write(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(descriptor)


def _unlink(path: Path) -> None:
    # What is half written takes room; why it was not written is what the person has to hear.
    with suppress(OSError):
        path.unlink()


def load_secret(path: Path, size: int, random: Callable[[int], bytes]) -> bytes:
    """`size` secret octets kept in a 0600 file, made at the first start.

    Raises ValueError for a damaged file, PermissionsError for one that others can read, OSError.
    """
    if not path.exists():
        write_durably(path, random(size))
    secret = read_secret(path, size + 1)
    if len(secret) != size:
        raise ValueError(f"{path} has to hold {size} octets")
    return secret


def read_secret(path: Path, limit: int = -1) -> bytes:
    """What a file holds that only its owner can read, or its first octets.

    Raises PermissionsError for one that others can read, OSError.
    """
    with path.open("rb") as file:
        require_secret(path, os.fstat(file.fileno()))
        return file.read(limit)
