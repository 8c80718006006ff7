"""The only door to the disk. A power cut leaves of unflushed changes any part, so who writes also flushes."""

import os
from pathlib import Path
from typing import Final, Protocol

OWNER_ONLY: Final = 0o600


class Storage(Protocol):
    """One folder of files. Only a rename is atomic; nothing is there for certain before it is flushed."""

    def names(self) -> list[str]:
        """What is there, in order."""

    def read(self, name: str) -> bytes | None:
        """A whole file; None when there is none."""

    def write(self, name: str, octets: bytes) -> None:
        """A whole file, in place of what it held."""

    def write_at(self, name: str, position: int, octets: bytes) -> None:
        """A part of a file, which is made, and filled up with zeros, as far as it is not there."""

    def flush(self, name: str) -> None:
        """Keep what a file holds, and every name in the folder."""

    def flush_names(self) -> None:
        """Keep every name in the folder: what was made, renamed and deleted."""

    def rename(self, old: str, new: str) -> None:
        """In place of a file that may be there."""

    def delete(self, name: str) -> None:
        """Nothing when there is none."""


class FolderStorage:
    """A real folder, which is there, of this device alone. Every method may raise OSError."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def names(self) -> list[str]:
        return sorted(path.name for path in self._folder.iterdir())

    def read(self, name: str) -> bytes | None:
        try:
            return (self._folder / name).read_bytes()
        except FileNotFoundError:
            return None

    def write(self, name: str, octets: bytes) -> None:
        self._write(name, os.O_TRUNC, 0, octets)

    def write_at(self, name: str, position: int, octets: bytes) -> None:
        self._write(name, 0, position, octets)

    def flush(self, name: str) -> None:
        _flush(self._folder / name)
        self.flush_names()

    def flush_names(self) -> None:
        _flush(self._folder)

    def rename(self, old: str, new: str) -> None:
        (self._folder / old).replace(self._folder / new)

    def delete(self, name: str) -> None:
        (self._folder / name).unlink(missing_ok=True)

    def _write(self, name: str, flags: int, position: int, octets: bytes) -> None:
        descriptor = os.open(self._folder / name, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | flags, OWNER_ONLY)
        with os.fdopen(descriptor, "wb") as file:
            file.seek(position)
            file.write(octets)


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
