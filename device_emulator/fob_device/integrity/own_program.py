"""The device's own program as it is installed (docs/integrity-protocol.md, section 7)."""

import re
from collections.abc import Iterator
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Final

import fob_device
import fob_protocol
from fob_device.integrity.program import Program
from fob_protocol.integrity.installation import File, Installation, InstallationError
from fob_protocol.office.message import Version

NAME: Final = "fob-device"
DISTRIBUTION: Final = "fobd"
# Made by whoever runs it, of what is measured.
_COMPILED: Final = "__pycache__"


class UnreadableProgramError(OSError):
    """These files are no installation."""


def package_folders() -> list[Path]:
    """Of the two packages that a device consists of."""
    return [Path(package.__file__).parent for package in (fob_device, fob_protocol) if package.__file__]


def own_version() -> Version:
    """Of the distribution."""
    found = re.match(r"(\d+)\.(\d+)\.(\d+)", metadata.version(DISTRIBUTION))
    return (int(found[1]), int(found[2]), int(found[3])) if found else (0, 0, 0)


def own_program() -> Program:
    """What runs here."""
    return Program(NAME, own_version(), None, lambda: read_installation(package_folders()))


def read_installation(packages: list[Path]) -> bytes:
    """Of these packages' folders. Raises OSError; UnreadableProgramError for what is no file, by its name."""
    try:
        installation = Installation(file for package in packages for file in _files(package))
        return installation.read(0, installation.length)
    except InstallationError as error:
        raise UnreadableProgramError(str(error)) from None


def _files(package: Path) -> Iterator[File]:
    for path in sorted(package.rglob("*")):
        name = path.relative_to(package.parent).as_posix()
        if _COMPILED in path.parts or (path.is_dir() and not path.is_symlink()):
            continue
        if path.is_symlink() or not path.is_file():
            raise UnreadableProgramError(f"{name} is no plain file")
        yield File(name, path.stat().st_size, partial(_read, path))


def _read(path: Path, at: int, size: int) -> bytes:
    with path.open("rb") as file:
        file.seek(at)
        return file.read(size)
