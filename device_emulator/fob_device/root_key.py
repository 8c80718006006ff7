"""The file with the device root key: what a real phone has in its hardware."""

import os
import shlex
import stat
from pathlib import Path
from typing import Final

from fob_device.errors import StartError
from fob_device.token.limits import ROOT_KEY_SIZE
from fob_protocol.noise.keys import Random

OWNER_ONLY: Final = 0o600
OTHERS: Final = 0o077

GONE: Final = "the root key of this phone is gone"


def create_root_key(path: Path, random: Random) -> bytes:
    """A new root key (32 octets) in a file of its own, on the disk when this returns. Raises OSError.

    A file that is there already is never written over: somebody's keys may be sealed under what it holds.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY)
    with os.fdopen(descriptor, "wb") as file:
        key = random(ROOT_KEY_SIZE)
        file.write(key)
        file.flush()
        os.fsync(descriptor)
    return key


def load_root_key(path: Path, new_phone: str) -> bytes:
    """The root key (32 octets) of `path`; `new_phone` is the command that makes another phone.

    Raises StartError: the file is missing, has another size, or others can read it; OSError.
    """
    try:
        # Without O_NONBLOCK a pipe in the file's place would be waited for.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except FileNotFoundError:
        raise StartError(GONE, f"without {path} its keys cannot be opened", new_phone) from None
    with os.fdopen(descriptor, "rb") as file:
        mode = os.fstat(descriptor).st_mode
        if not stat.S_ISREG(mode):
            raise StartError(GONE, f"{path} is not a file", new_phone)
        if mode & OTHERS:
            why = f"{path} is open to others (mode {stat.S_IMODE(mode):04o})"
            raise StartError("the root key of this phone is no secret", why, f"chmod 600 {shlex.quote(str(path))}")
        key = file.read(ROOT_KEY_SIZE + 1)
    if len(key) != ROOT_KEY_SIZE:
        why = f"{path} has to hold {ROOT_KEY_SIZE} octets"
        raise StartError("the root key of this phone is damaged", why, new_phone)
    return key
