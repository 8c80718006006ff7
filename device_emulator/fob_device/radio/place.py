"""A Unix socket's path, for one program that listens: whoever comes second is refused and displaces nobody."""

import contextlib
import errno
import socket
from collections.abc import Iterator
from pathlib import Path

from fob_device.path_lock import path_lock


@contextlib.contextmanager
def listening_place(path: str) -> Iterator[None]:
    """Hold the path within the block. Raises OSError, EBUSY while a program listens there, of ours or not.

    A socket that nobody listens at was left behind, and gives way.
    """
    with path_lock(Path(path)):
        if _is_listened_at(path):
            raise OSError(errno.EBUSY, "another program listens there", path)
        yield


def _is_listened_at(path: str) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as caller:
        # One whose queue is full lives too.
        caller.setblocking(False)
        try:
            caller.connect(path)
        except BlockingIOError:
            return True
        except (FileNotFoundError, ConnectionRefusedError):
            return False
    return True
