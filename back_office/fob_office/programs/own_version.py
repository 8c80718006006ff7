"""Which version files say of themselves that they are: their holders ask for copies of that one."""

import tomllib
from email.parser import BytesHeaderParser
from importlib.metadata import distributions
from pathlib import Path
from typing import Final
from zipfile import ZipFile

from fob_office.errors import OperatorError
from fob_protocol.integrity.installation import release_of
from fob_protocol.office.component import words
from fob_protocol.office.message import Version

_METADATA: Final = ".dist-info/METADATA"
# Of `protocol/fob_protocol` in a source tree the folder above both.
_ABOVE: Final = 2
_NONE: Final = (0, 0, 0)


def version_of_wheel(wheel: ZipFile) -> str | None:
    """As its metadata have it; None: it has none."""
    names = [name for name in wheel.namelist() if name.endswith(_METADATA) and name.count("/") == 1]
    return BytesHeaderParser().parsebytes(wheel.read(names[0]))["Version"] if names else None


def version_of_folder(folder: Path) -> str | None:
    """Of what was installed there, or of the source tree that it is in; None: nothing says it. Raises OSError."""
    package = folder.resolve()
    for installed in distributions(path=[str(package.parent)]):
        if any(file.parts[0] == package.name for file in installed.files or ()):
            return installed.version
    for above in package.parents[:_ABOVE]:
        if (project := above / "pyproject.toml").is_file():
            return _version_of_project(project)
    return None


def check_version(name: str, version: Version, source: Path, own: str | None) -> None:
    """Raises OperatorError: what is added as this version is another one, and nobody would ever ask for it.

    What says no version of three numbers is believed.
    """
    if own is None or release_of(own) in (version, _NONE):
        return
    asked = words(release_of(own))
    why = f"{source} is version {own}, and who runs it asks for a copy of {asked}"
    raise OperatorError(f"{name} {words(version)} was not added", why, f"the same command with {asked}")


def _version_of_project(project: Path) -> str | None:
    try:
        version = tomllib.loads(project.read_text()).get("project", {}).get("version")
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        return None
    return version if isinstance(version, str) else None
