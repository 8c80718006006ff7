"""The folder of one phone: its root key, and the file of its memory that the key seals."""

import contextlib
import errno
import os
import shlex
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from fob_device.errors import StartError
from fob_device.memory import Memory
from fob_device.root_key import create_root_key, load_root_key
from fob_device.store.errors import TokenFileError, TokenFileInUseError
from fob_device.token.logins import Clock
from fob_protocol.pkcs11.errors import CkrError

MEMORY_FILE: Final = "token.db"
ROOT_KEY_FILE: Final = "root.key"
FOLDER_MODE: Final = 0o700

NEW_PHONE: Final = "fob-device init --state NEW"
NOT_MADE: Final = "no phone was made"
NOT_STARTED: Final = "the phone did not start"


def make_phone(folder: Path, *, label: str, user_pin: bytes, so_pin: bytes) -> str:
    """A new phone in `folder`, all of it or nothing; slow. Its serial number. Raises StartError."""
    memory_file, root_key_file = folder / MEMORY_FILE, folder / ROOT_KEY_FILE
    with _refusing_to_make(folder), contextlib.ExitStack() as undo:
        if memory_file.exists():
            command = f"fob-device run --state {shlex.quote(str(folder))} --port ..."
            raise StartError(f"{folder} holds a phone already", "a phone is never overwritten", command)
        _make_folder(folder, undo)
        root_key = create_root_key(root_key_file, os.urandom)
        for path in (root_key_file, memory_file):
            undo.callback(path.unlink, missing_ok=True)
        memory = Memory.create(
            memory_file,
            root_key=root_key,
            label=label,
            so_pin=so_pin,
            user_pin=user_pin,
            random=os.urandom,
            clock=time.time,
        )
        serial = memory.token.info().serial
        memory.close()
        undo.pop_all()
    return serial


def open_phone(folder: Path, clock: Clock = time.time) -> Memory:
    """The phone in `folder`; nobody else can open it until it is closed. Raises StartError."""
    memory_file = folder / MEMORY_FILE
    with _refusing_to_start(folder):
        if not memory_file.exists():
            command = f"fob-device init --state {shlex.quote(str(folder))}"
            raise StartError(f"there is no phone in {folder}", f"{memory_file} is missing", command)
        _require_writable(folder)
        _require_writable(memory_file)
        root_key = load_root_key(folder / ROOT_KEY_FILE, NEW_PHONE)
        return Memory.open(memory_file, root_key=root_key, random=os.urandom, clock=clock)


@contextlib.contextmanager
def _refusing_to_make(folder: Path) -> Iterator[None]:
    try:
        yield
    except CkrError as error:
        raise StartError(NOT_MADE, error.reason, "fob-device init --help") from None
    except FileExistsError as error:
        raise StartError(NOT_MADE, f"{error.filename} is there already, and is never overwritten", NEW_PHONE) from None
    except OSError as error:
        raise StartError(NOT_MADE, _words(error, folder), NEW_PHONE) from None


@contextlib.contextmanager
def _refusing_to_start(folder: Path) -> Iterator[None]:
    try:
        yield
    except TokenFileInUseError as error:
        raise StartError(NOT_STARTED, str(error), "pgrep -af 'fob-device run'") from None
    except TokenFileError as error:
        raise StartError(NOT_STARTED, str(error), NEW_PHONE) from None
    except OSError as error:
        raise StartError(NOT_STARTED, _words(error, folder), f"ls -la {shlex.quote(str(folder))}") from None


def _require_writable(path: Path) -> None:
    """Every change writes the memory's file, and a journal beside it. Raises OSError."""
    if os.access(path, os.W_OK, effective_ids=True):
        return
    is_whole_disk = os.statvfs(path).f_flag & os.ST_RDONLY
    number = errno.EROFS if is_whole_disk else errno.EACCES
    raise OSError(number, f"it cannot be written: {os.strerror(number)}", str(path))


def _words(error: OSError, folder: Path) -> str:
    return f"{error.filename or folder}: {error.strerror}"


def _make_folder(folder: Path, undo: contextlib.ExitStack) -> None:
    """`folder` and those above it that are missing; `undo` takes away what was made. Raises OSError."""
    for path in reversed([path for path in (folder, *folder.parents) if not path.exists()]):
        path.mkdir(FOLDER_MODE)
        undo.callback(path.rmdir)
    if not folder.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder))
