"""The device's own program as it is installed (docs/integrity-protocol.md, section 7)."""

from importlib import metadata
from pathlib import Path
from typing import Final

import fob_device
import fob_protocol
from fob_device.integrity.program import Program
from fob_protocol.integrity.installation import Installation, InstallationError, release_of
from fob_protocol.integrity.package_files import package_files
from fob_protocol.office.message import Version

NAME: Final = "fob-device"
DISTRIBUTION: Final = "fobd"


class UnreadableProgramError(OSError):
    """These files are no installation."""


def package_folders() -> list[Path]:
    """Of the two packages that a device consists of."""
    return [Path(package.__file__).parent for package in (fob_device, fob_protocol) if package.__file__]


def own_version() -> Version:
    """Of the distribution."""
    return release_of(metadata.version(DISTRIBUTION))


def own_program() -> Program:
    """What runs here."""
    return Program(NAME, own_version(), None, lambda: read_installation(package_folders()))


def read_installation(packages: list[Path]) -> bytes:
    """Of these packages' folders. Raises OSError; UnreadableProgramError for what is no file, by its name."""
    try:
        installation = Installation(file for package in packages for file in package_files(package))
        return installation.read(0, installation.length)
    except InstallationError as error:
        raise UnreadableProgramError(str(error)) from None
