"""A link to a pseudo-terminal at a path of one's choice, held by one process at a time.

The kernel gives the number of a terminal that is gone to the next one, so the link itself does not tell whether its
owner still lives: a lock on a file beside it does (flock(2)), which the owner's death releases.
"""

import contextlib
import errno
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

LOCK_SUFFIX: Final = ".lock"
TERMINALS: Final = "/dev/pts/"


@contextlib.contextmanager
def terminal_link(link: Path, terminal: str) -> Iterator[None]:
    """A link at `link` to `terminal` for as long as the block runs. Raises OSError.

    What a process that died left behind gives way. The link of one that lives (EBUSY) and anything else at the path
    (EEXIST) do not.
    """
    with _lock(link):
        _check_place(link)
        beside = link.with_name(f"{link.name}.{os.getpid()}")
        with contextlib.suppress(FileNotFoundError):
            beside.unlink()
        beside.symlink_to(terminal)
        beside.replace(link)
        try:
            yield
        finally:
            if link.is_symlink() and os.readlink(link) == terminal:
                link.unlink()


@contextlib.contextmanager
def _lock(link: Path) -> Iterator[None]:
    path = Path(f"{link}{LOCK_SUFFIX}")
    descriptor = _open_locked(link, path)
    try:
        os.truncate(descriptor, 0)
        os.write(descriptor, b"%d\n" % os.getpid())
        yield
    finally:
        # Removed before it is let go of: whoever gets the lock of a file that is gone looks again.
        path.unlink(missing_ok=True)
        os.close(descriptor)


def _open_locked(link: Path, path: Path) -> int:
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_at(descriptor, path):
                return descriptor
        except BlockingIOError:
            owner = os.read(descriptor, 20).decode("ascii", "replace").strip()
            os.close(descriptor)
            raise OSError(errno.EBUSY, f"in use by process {owner}", str(link)) from None
        os.close(descriptor)


def _is_at(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.lstat())
    except FileNotFoundError:
        return False


def _check_place(link: Path) -> None:
    if not os.path.lexists(link):
        return
    if not link.is_symlink():
        raise FileExistsError(errno.EEXIST, "exists and is no link", str(link))
    if not os.readlink(link).startswith(TERMINALS):
        raise FileExistsError(errno.EEXIST, "is a link to something that is no terminal", str(link))
