"""A listening Unix socket at a path: private to its user, taking the place of a dead one, never of a live one."""

import os
import socket
import stat
from pathlib import Path
from typing import Final

SOCKET_MODE: Final = 0o600
DIRECTORY_MODE: Final = 0o700
# Programs that connect at once, at login, wait here.
BACKLOG: Final = 64


class ListenError(Exception):
    """No socket can be made at the path; the message says why."""


def bind_unix_socket(path: Path) -> socket.socket:
    """A listening, non-blocking socket of mode 0600. Raises ListenError."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        path.parent.mkdir(mode=DIRECTORY_MODE, parents=True, exist_ok=True)
        _remove_stale(path)
        # Before bind: the file must not be open to others for a moment.
        os.fchmod(listener.fileno(), SOCKET_MODE)
        listener.bind(os.fspath(path))
        listener.listen(BACKLOG)
        listener.setblocking(False)
    except OSError as error:
        listener.close()
        raise ListenError(f"{path}: {error.strerror or error}") from error
    except ListenError:
        listener.close()
        raise
    return listener


def _remove_stale(path: Path) -> None:
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise ListenError(f"{path}: exists and is not a socket")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.setblocking(False)
        try:
            probe.connect(os.fspath(path))
        except ConnectionRefusedError:
            path.unlink()
            return
        except BlockingIOError:
            pass  # its backlog is full, so somebody owns it
    raise ListenError(f"{path}: another process listens there")
