"""The files of an installation, out of packages' folders or a wheel (docs/integrity-protocol.md, section 7)."""

import stat
from collections.abc import Callable, Collection, Iterator, Sequence
from functools import lru_cache, partial
from pathlib import Path, PurePosixPath
from typing import Final
from zipfile import ZipFile, ZipInfo

from fob_protocol.integrity.installation import File, Installation, InstallationError
from fob_protocol.integrity.package_files import COMPILED, no_plain_file, package_files

# Of a wheel: what is said about the packages, and what is put elsewhere.
_BESIDE: Final = (".dist-info", ".data")


def installation_of_folders(folders: Sequence[Path]) -> Installation:
    """Each is a package's. Raises InstallationError for what is no file, OSError."""
    return Installation(file for folder in folders for file in package_files(folder.resolve()))


def installation_of_wheel(wheel: ZipFile, packages: Collection[str] = ()) -> Installation:
    """These packages of it, or all of them. Raises InstallationError, BadZipFile, OSError."""
    files = {info.filename: info for info in wheel.infolist() if not info.is_dir() and not _is_beside(info)}
    found = {PurePosixPath(name).parts[0] for name in files if len(PurePosixPath(name).parts) > 1}
    if missing := set(packages) - found:
        raise InstallationError(f"the wheel has no package {min(missing)}; it has {', '.join(sorted(found))}")
    chosen = set(packages) or found
    return Installation(_files_of(wheel, [files[name] for name in files if PurePosixPath(name).parts[0] in chosen]))


def _files_of(wheel: ZipFile, infos: Sequence[ZipInfo]) -> Iterator[File]:
    # Files are read one after the other.
    whole = lru_cache(1)(wheel.read)
    for info in infos:
        parts = PurePosixPath(info.filename).parts
        kind = stat.S_IFMT(info.external_attr >> 16)
        if kind not in (0, stat.S_IFREG) or ".." in parts:
            raise no_plain_file(info.filename)
        if COMPILED not in parts:
            yield File(info.filename, info.file_size, partial(_read_packed, whole, info.filename))


def _read_packed(whole: Callable[[str], bytes], name: str, at: int, size: int) -> bytes:
    return whole(name)[at : at + size]


def _is_beside(info: ZipInfo) -> bool:
    return PurePosixPath(info.filename).parts[0].endswith(_BESIDE)
