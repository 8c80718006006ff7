"""Files and folders that other users of this computer must not touch."""

import os
import shlex
import stat
from contextlib import suppress
from pathlib import Path
from typing import Final

from fob_daemon.start_error import StartError

# Of a folder, and of a socket, that are one user's.
OWN_MODE: Final = 0o700
SOCKET_MODE: Final = 0o600

_ROOT: Final = 0
_WRITE: Final = stat.S_IWGRP | stat.S_IWOTH


class PermissionsError(StartError):
    """Others may touch what they must not."""


def make_own_folder(folder: Path) -> None:
    """It and those above it that are not there, for this user only, whatever the umask. Raises OSError."""
    if folder.exists():
        return
    make_own_folder(folder.parent)
    with suppress(FileExistsError):  # somebody else makes it at the same time, and it is looked at after that
        folder.mkdir(mode=OWN_MODE)
        if stat.S_IMODE(folder.stat().st_mode) != OWN_MODE:
            folder.chmod(OWN_MODE)


def require_own_folder(folder: Path) -> None:
    """Others cannot put anything there. Raises PermissionsError, OSError."""
    found = folder.stat()
    _require_owner(folder, found)
    if found.st_mode & stat.S_ISVTX and found.st_mode & _WRITE:
        # /tmp: what is there is safe from others, but who comes first takes the name.
        raise PermissionsError(f"everybody may put files into {folder}", f"mkdir -m 700 {_quoted(folder / 'fob')}")
    if found.st_mode & _WRITE:
        raise PermissionsError(f"other users may write to {folder}", f"chmod go-w {_quoted(folder)}")


def require_secret(path: Path, found: os.stat_result) -> None:
    """Only its owner can read the file at `path`, which `found` describes. Raises PermissionsError."""
    _require_owner(path, found)
    if found.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        why = f"{path} is a secret, and mode {stat.S_IMODE(found.st_mode):04o} opens it to other users"
        raise PermissionsError(why, f"chmod 600 {_quoted(path)}")


def _require_owner(path: Path, found: os.stat_result) -> None:
    if found.st_uid not in (os.getuid(), _ROOT):
        raise PermissionsError(f"{path} belongs to user {found.st_uid}", f"ls -ld {_quoted(path)}")


def _quoted(path: Path) -> str:
    return shlex.quote(str(path))
