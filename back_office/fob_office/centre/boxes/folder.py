"""The folder of a box: what the sealed enclosure and the battery-backed memory are to real hardware (M3).

`hardware.key` stands for that memory. Every other file is sealed under it to the box and to its own name. A file that
does not open, is missing or is another box's means that somebody was inside: the box *zeroises*.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

import structlog
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from fob_office.centre.boxes.errors import TamperedError
from fob_office.centre.limits import BOX_FILE_LIMIT
from fob_office.errors import OperatorError
from fob_office.secrets.private_file import flush_folder, replace_file, require_private, write_new
from fob_protocol.cose.cbor import Value, encode
from fob_protocol.office.hashing import derive

log = structlog.get_logger(__name__)

HARDWARE_KEY: Final = "hardware.key"
HARDWARE_KEY_SIZE: Final = 32
TAMPERED: Final = "tampered"
# The names of the files that were made.
INDEX: Final = "index"

_OWNER_ONLY: Final = 0o700
_NONCE_SIZE: Final = 12
_LABEL: Final = "fob/1 box"


class BoxFolder:
    """An open folder. After `zeroise` every method raises TamperedError."""

    def __init__(self, path: Path, name: str, key: bytes, random: Callable[[int], bytes]) -> None:
        """`key`: what stands in `hardware.key`. Use `create_folder` or `open_folder`."""
        self.path = path
        self.name = name
        self._key = key
        self._random = random
        self._made: frozenset[str] = frozenset()

    def __repr__(self) -> str:
        return f"BoxFolder({self.name!r})"

    @property
    def is_tampered(self) -> bool:
        """True after the keys were erased."""
        return not self._key

    def check(self) -> None:
        """Raises TamperedError when the keys were erased."""
        if self.is_tampered:
            raise TamperedError(self.name)

    def place(self, file: str) -> "Place":
        """Seals what stands in a file. Raises TamperedError."""
        return Place(self, file, self.key_of(file), self._random)

    def key_of(self, use: str) -> bytes:
        """32 octets for one use. Raises TamperedError."""
        self.check()
        return derive(self._key, None, [_LABEL, use])

    def write(self, file: str, octets: bytes) -> None:
        """All of it is on the disk when this returns, or what was there before. Raises TamperedError, OSError."""
        replace_file(self.path / file, self.place(file).seal([], octets))
        self.add(file)

    def read(self, file: str) -> bytes:
        """What was last written. Raises TamperedError, having zeroised, FileNotFoundError when it was never made."""
        place = self.place(file)
        try:
            with (self.path / file).open("rb") as opened:
                sealed = opened.read(BOX_FILE_LIMIT + 1)
        except FileNotFoundError:
            if self.has(file):
                self.zeroise(f"{file} is missing")
                raise TamperedError(self.name) from None
            raise
        except OSError as error:
            self.zeroise(f"{file} cannot be read: {error.strerror}")
            raise TamperedError(self.name) from None
        return place.open([], sealed)

    def has(self, file: str) -> bool:
        """Whether it was ever made."""
        return file in self._made

    def add(self, file: str) -> None:
        """From now on it has to be there. Raises TamperedError, OSError."""
        # After the file: one that is there and not listed is read all the same.
        if file not in self._made:
            self._write_index(self._made | {file})

    def load_index(self) -> None:
        """Raises TamperedError, having zeroised."""
        self._made = frozenset((INDEX,))
        self._made = frozenset(self.read(INDEX).decode().split("\n"))
        for file in sorted(self._made):
            if not (self.path / file).exists():
                self.zeroise(f"{file} is missing")
                raise TamperedError(self.name)

    def start_index(self) -> None:
        """Of a folder with nothing in it."""
        self._write_index(frozenset((INDEX,)))

    def zeroise(self, why: str) -> None:
        """Overwrite and delete the hardware key, and remember it for ever. Raises OSError."""
        log.critical("a box was tampered with", box=self.name, why=why)
        self._key = b""
        erase(self.path, why)

    def _write_index(self, made: frozenset[str]) -> None:
        replace_file(self.path / INDEX, self.place(INDEX).seal([], "\n".join(sorted(made)).encode()))
        self._made = made


class Place:
    """AES-256-GCM under the key of one file; `where` says where in the file something stands."""

    def __init__(self, folder: BoxFolder, file: str, key: bytes, random: Callable[[int], bytes]) -> None:
        self._folder = folder
        self._file = file
        self._aead = AESGCM(key)
        self._random = random

    def seal(self, where: list[Value], octets: bytes) -> bytes:
        """28 octets longer, and other ones each time. Raises TamperedError."""
        self._folder.check()
        nonce = self._random(_NONCE_SIZE)
        return nonce + self._aead.encrypt(nonce, octets, self._associated(where))

    def open(self, where: list[Value], sealed: bytes) -> bytes:
        """What was sealed here. Raises TamperedError, having zeroised."""
        self._folder.check()
        try:
            return self._aead.decrypt(sealed[:_NONCE_SIZE], sealed[_NONCE_SIZE:], self._associated(where))
        except (InvalidTag, ValueError):
            self._folder.zeroise(f"{self._file} does not open")
            raise TamperedError(self._folder.name) from None

    def _associated(self, where: list[Value]) -> bytes:
        return encode([_LABEL, self._folder.name, self._file, *where])


def create_folder(path: Path, name: str, random: Callable[[int], bytes]) -> BoxFolder:
    """A box that has nothing yet. Raises OperatorError when there is one; OSError."""
    path.mkdir(mode=_OWNER_ONLY, parents=True, exist_ok=True)
    if any(path.iterdir()):
        raise OperatorError(f"the box {name} cannot be made", f"{path} is not empty", "choose another folder")
    path.chmod(_OWNER_ONLY)
    key = random(HARDWARE_KEY_SIZE)
    write_new(path / HARDWARE_KEY, key)
    folder = BoxFolder(path, name, key, random)
    folder.start_index()
    return folder


def open_folder(path: Path, name: str, random: Callable[[int], bytes]) -> BoxFolder:
    """Raises TamperedError when it was changed, now or before; OperatorError when there is no box.

    Whether another process works in it is not looked at: `alone_in` is for that.
    """
    if not path.is_dir():
        raise OperatorError(f"the box {name} cannot be opened", f"{path} is no folder", "fob-office centre --help")
    if was_tampered_with(path):
        raise TamperedError(name)
    folder = BoxFolder(path, name, _hardware_key(path), random)
    if folder.is_tampered:
        folder.zeroise(f"{HARDWARE_KEY} is missing, or has another size")
        raise TamperedError(name)
    folder.load_index()
    return folder


def was_tampered_with(path: Path) -> bool:
    """Whether the box in this folder has found that; it says so itself, and whoever removed it."""
    return (path / TAMPERED).exists()


def erase(path: Path, why: str) -> None:
    """The hardware key of the box in this folder, and what it keeps with it, is gone. Raises OSError."""
    try:
        descriptor = os.open(path / HARDWARE_KEY, os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        # It is gone already, or is none.
        pass
    else:
        with os.fdopen(descriptor, "wb") as file:
            file.write(bytes(HARDWARE_KEY_SIZE))
            file.flush()
            os.fsync(descriptor)
        (path / HARDWARE_KEY).unlink()
    replace_file(path / TAMPERED, why.encode())
    flush_folder(path)


def _hardware_key(path: Path) -> bytes:
    """Nothing, when there is none. Raises OperatorError: others may have read it, and that is no reason to erase it."""
    require_private(path / HARDWARE_KEY, f"the hardware key of {path.name}")
    try:
        with (path / HARDWARE_KEY).open("rb") as file:
            key = file.read(HARDWARE_KEY_SIZE + 1)
    except OSError:
        return b""
    return key if len(key) == HARDWARE_KEY_SIZE else b""
