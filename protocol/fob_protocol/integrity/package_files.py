"""The files of an installed package (docs/integrity-protocol.md, section 7), by whatever stands for its folder."""

from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any, BinaryIO, Final, Literal, Protocol

from fob_protocol.integrity.installation import File, InstallationError

# What each machine compiles for itself, of what is measured.
COMPILED: Final = "__pycache__"


class Place(Protocol):
    """A folder or a file; a pathlib.Path is one."""

    @property
    def name(self) -> str:
        """Without the folders before it."""

    def iterdir(self) -> "Iterable[Place]":
        """What lies in a folder."""

    def is_symlink(self) -> bool:
        """Whether it only leads elsewhere."""

    def is_dir(self) -> bool:
        """Whether it is a folder."""

    def is_file(self) -> bool:
        """Whether it is a plain file."""

    def stat(self) -> Any:
        """`st_size`: octets."""

    def open(self, mode: Literal["rb"], /) -> BinaryIO:
        """To read."""


def package_files(package: Place) -> Iterator[File]:
    """All that is measured of a package's folder. Raises InstallationError for what is no plain file, OSError."""
    return _below(package, package.name)


def no_plain_file(name: str) -> InstallationError:
    """For a link, a pipe, or something else."""
    return InstallationError(f"{name} is no plain file")


def _below(folder: Place, name: str) -> Iterator[File]:
    for place in folder.iterdir():
        shown = f"{name}/{place.name}"
        if place.name == COMPILED:
            continue
        if place.is_symlink() or not (place.is_dir() or place.is_file()):
            raise no_plain_file(shown)
        if place.is_dir():
            yield from _below(place, shown)
        else:
            yield File(shown, place.stat().st_size, partial(_read, place))


def _read(place: Place, at: int, size: int) -> bytes:
    with place.open("rb") as file:
        file.seek(at)
        return file.read(size)
