"""What is installed here as fobd (docs/integrity-protocol.md, section 7): the folders of its two packages."""

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import fob_daemon
import fob_protocol
from fob_protocol.integrity.installation import Found, Installation, InstallationError, installed_files
from fob_protocol.integrity.measured import Measured


class UnreadableError(Exception):
    """What is installed cannot be read, or is no installation; says why."""


def package_folders() -> list[Path]:
    """As they were imported."""
    return [Path(package.__file__).parent for package in (fob_daemon, fob_protocol) if package.__file__]


def measure(packages: Sequence[Path]) -> Measured:
    """All of these packages; slow, for a thread. Raises UnreadableError."""
    try:
        installation = Installation(installed_files(found for package in packages for found in _below(package)))
        return Measured.of(installation.read(0, installation.length))
    except InstallationError as error:
        raise UnreadableError(str(error)) from None
    except OSError as error:
        raise UnreadableError(f"{error.filename}: {error.strerror or error}") from None


def _below(package: Path) -> Iterator[Found]:
    for path in package.rglob("*"):
        is_link = path.is_symlink()
        if is_link or not path.is_dir():
            size = path.stat().st_size if path.is_file() and not is_link else None
            yield Found(path.relative_to(package.parent).as_posix(), size, partial(_read, path))


def _read(path: Path, at: int, size: int) -> bytes:
    with path.open("rb") as file:
        file.seek(at)
        return file.read(size)
