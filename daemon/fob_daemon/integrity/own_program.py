"""What is installed here as fobd (docs/integrity-protocol.md, section 7): the folders of its two packages."""

from collections.abc import Sequence
from pathlib import Path

import fob_daemon
import fob_protocol
from fob_protocol.integrity.installation import Installation, InstallationError
from fob_protocol.integrity.measured import Measured
from fob_protocol.integrity.package_files import package_files


class UnreadableError(Exception):
    """What is installed cannot be read, or is no installation; says why."""


def package_folders() -> list[Path]:
    """As they were imported."""
    return [Path(package.__file__).parent for package in (fob_daemon, fob_protocol) if package.__file__]


def measure(packages: Sequence[Path]) -> Measured:
    """All of these packages; slow, for a thread. Raises UnreadableError."""
    try:
        installation = Installation(file for package in packages for file in package_files(package))
        return Measured.of(installation.read(0, installation.length))
    except InstallationError as error:
        raise UnreadableError(str(error)) from None
    except OSError as error:
        raise UnreadableError(f"{error.filename}: {error.strerror or error}") from None
