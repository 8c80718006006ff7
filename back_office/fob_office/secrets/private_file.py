"""Files that are their owner's alone."""

import errno
import os
import shlex
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from fob_office.errors import OperatorError

OWNER_ONLY: Final = 0o600
_OTHERS: Final = 0o077


def write_new(path: Path, octets: bytes) -> None:
    """A new file, on the disk when this returns. Raises FileExistsError: nothing is ever written over; OSError."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY)
    with os.fdopen(descriptor, "wb") as file:
        file.write(octets)
        file.flush()
        os.fsync(descriptor)
    flush_folder(path.parent)


def replace_file(path: Path, octets: bytes) -> None:
    """All of it, or what was there before. Raises OSError."""
    part = path.with_name(f".{path.name}.part")
    part.unlink(missing_ok=True)
    write_new(part, octets)
    part.replace(path)
    flush_folder(path.parent)


def replace_unflushed(path: Path, octets: bytes) -> None:
    """As `replace_file`, of what is made again after a power cut: it costs no flush. Raises OSError."""
    part = path.with_name(f".{path.name}.part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, OWNER_ONLY)
    with os.fdopen(descriptor, "wb") as file:
        file.write(octets)
    part.replace(path)


def flush_folder(folder: Path) -> None:
    """What was made, renamed and deleted in it is kept."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_regular(path: Path, limit: int) -> bytes:
    """At most `limit` octets of a file; nothing else is waited for. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "it is not a file", str(path))
        return file.read(limit)


def read_private(path: Path, what: str, limit: int, command: str) -> bytes:
    """At most `limit` octets of a file that nobody else can read. `what` is it called; `command` makes one.

    Raises OperatorError.
    """
    try:
        # Without O_NONBLOCK a pipe in the file's place would be waited for.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise OperatorError(f"{what} cannot be read", f"{path}: {error.strerror}", command) from None
    with os.fdopen(descriptor, "rb") as file:
        mode = os.fstat(descriptor).st_mode
        if not stat.S_ISREG(mode):
            raise OperatorError(f"{what} cannot be read", f"{path} is not a file", command)
        _check_mode(path, mode, what)
        octets = file.read(limit + 1)
    if len(octets) > limit:
        raise OperatorError(f"{what} is damaged", f"{path} has more than {limit} octets", command)
    return octets


def require_private(path: Path, what: str) -> None:
    """Of a file, where there is one. Raises OperatorError: others can open it, or it is another user's."""
    try:
        found, folder = path.stat(), path.parent.stat()
    except OSError:
        return
    if not stat.S_ISREG(found.st_mode):
        return
    _check_mode(path, found.st_mode, what)
    # For root it is also that of the user for whom root works here.
    if found.st_uid not in {os.geteuid(), *([folder.st_uid] if os.geteuid() == 0 else [])}:
        why = f"{path} is another user's (uid {found.st_uid})"
        raise OperatorError(f"{what} is no secret", why, f"ls -ln {shlex.quote(str(path.parent))}")


@contextmanager
def owner_alone() -> Iterator[None]:
    """What this process makes meanwhile is its user's alone, whatever the umask was."""
    before = os.umask(_OTHERS)
    try:
        yield
    finally:
        os.umask(before)


def _check_mode(path: Path, mode: int, what: str) -> None:
    if mode & _OTHERS:
        why = f"{path} is open to others (mode {stat.S_IMODE(mode):04o})"
        raise OperatorError(f"{what} is no secret", why, f"chmod 600 {shlex.quote(str(path))}")
