"""Files that a person names for what comes out: regular ones are replaced whole, pipes and devices written into."""

import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Final

from fob_daemon.files import flush_folder

# What can be written into, and is never replaced.
_STREAMS: Final = {stat.S_IFCHR: "a device", stat.S_IFIFO: "a pipe"}
_REFUSED: Final = {stat.S_IFDIR: "a folder", stat.S_IFSOCK: "a socket", stat.S_IFBLK: "a disk"}


def check_file(path: Path) -> None:
    """Before something is done whose outcome goes there. Raises OSError with the file's name."""
    kind = _kind(path)
    if kind in _REFUSED:
        raise OSError(0, f"it is {_REFUSED[kind]}", str(path))
    if kind in _STREAMS:
        if not os.access(path, os.W_OK):
            raise OSError(0, f"it is {_STREAMS[kind]} that may not be written into", str(path))
        return
    check_folder(_real(path).parent)


def check_folder(folder: Path) -> None:
    """That files can be made there. Raises OSError with its name."""
    if not folder.is_dir():
        raise OSError(0, "there is no such folder", str(folder))
    if not os.access(folder, os.W_OK | os.X_OK):
        raise OSError(0, "no file may be made in this folder", str(folder))


def write_file(path: Path, content: bytes) -> None:
    """Through links. A file is the old one or the new one, never a mix, and its owner's alone.

    Raises OSError with the file's name.
    """
    try:
        kind = _kind(path)
        if kind in _REFUSED:
            raise OSError(0, f"it is {_REFUSED[kind]}")
        if kind in _STREAMS:
            with path.open("wb", buffering=0) as stream:
                _write_all(stream.fileno(), content)
        else:
            _replace(_real(path), content)
    except OSError as error:
        # Of a file that is written into beside its place, or is full, nobody is told the name.
        error.filename = str(path)
        raise


def _kind(path: Path) -> int:
    """Behind links; 0 where there is nothing."""
    try:
        return stat.S_IFMT(path.stat().st_mode)
    except FileNotFoundError:
        return 0


def _real(path: Path) -> Path:
    """What links lead to, also where that is not there yet."""
    return Path(os.path.realpath(path))


def _replace(path: Path, content: bytes) -> None:
    descriptor, beside = tempfile.mkstemp(".new", ".fob-", path.parent)
    try:
        try:
            _write_all(descriptor, content)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        os.replace(beside, path)
    except OSError:
        with suppress(OSError):
            os.unlink(beside)
        raise
    flush_folder(path.parent)


def _write_all(descriptor: int, content: bytes) -> None:
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(descriptor, rest) :]
