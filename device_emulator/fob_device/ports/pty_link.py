"""A link to a pseudo-terminal at a path of one's choice, held by one process at a time.

The kernel gives the number of a terminal that is gone to the next one, so the link itself does not tell whether its
owner still lives: a lock beside it does.
"""

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from fob_device.path_lock import path_lock

TERMINALS: Final = "/dev/pts/"


@contextlib.contextmanager
def terminal_link(link: Path, terminal: str) -> Iterator[None]:
    """A link at `link` to `terminal` for as long as the block runs. Raises OSError.

    What a process that died left behind gives way. The link of one that lives (EBUSY) and anything else at the path
    (EEXIST) do not.
    """
    with path_lock(link):
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


def _check_place(link: Path) -> None:
    if not os.path.lexists(link):
        return
    if not link.is_symlink():
        raise FileExistsError(errno.EEXIST, "exists and is no link", str(link))
    if not os.readlink(link).startswith(TERMINALS):
        raise FileExistsError(errno.EEXIST, "is a link to something that is no terminal", str(link))
