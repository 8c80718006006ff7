"""The files of an installation, out of packages' folders or a wheel (docs/integrity-protocol.md, section 7)."""

import os
import stat
from collections.abc import Callable, Collection, Iterator, Sequence
from functools import lru_cache, partial
from pathlib import Path, PurePosixPath
from typing import Final
from zipfile import ZipFile, ZipInfo

from fob_protocol.integrity.installation import File, Installation, InstallationError

# Compiled files, which every machine makes for itself.
_COMPILED: Final = "__pycache__"
# Of a wheel: what is said about the packages, and what is put elsewhere.
_BESIDE: Final = (".dist-info", ".data")


def installation_of_folders(folders: Sequence[Path]) -> Installation:
    """Each is a package's. Raises InstallationError for what is no file, OSError."""
    return Installation(file for folder in folders for file in _files_in(folder))


def installation_of_wheel(wheel: ZipFile, packages: Collection[str] = ()) -> Installation:
    """These packages of it, or all of them. Raises InstallationError, BadZipFile, OSError."""
    files = {info.filename: info for info in wheel.infolist() if not info.is_dir() and not _is_beside(info)}
    found = {PurePosixPath(name).parts[0] for name in files if len(PurePosixPath(name).parts) > 1}
    if missing := set(packages) - found:
        raise InstallationError(f"the wheel has no package {min(missing)}; it has {', '.join(sorted(found))}")
    chosen = set(packages) or found
    return Installation(_files_of(wheel, [files[name] for name in files if PurePosixPath(name).parts[0] in chosen]))


def _files_in(folder: Path) -> Iterator[File]:
    top = folder.resolve()
    for parent, folders, names in os.walk(top, onerror=_raise):
        folders[:] = [name for name in folders if name != _COMPILED]
        for name in [*folders, *names]:
            path = Path(parent, name)
            shown = f"{top.name}/{path.relative_to(top).as_posix()}"
            status = path.lstat()
            if name in names and stat.S_ISREG(status.st_mode):
                yield File(shown, status.st_size, partial(_read, path))
            elif not stat.S_ISDIR(status.st_mode):
                raise InstallationError(f"{shown} is no file: a link, or something else")


def _raise(error: OSError) -> None:
    raise error


def _read(path: Path, at: int, size: int) -> bytes:
    with path.open("rb") as file:
        file.seek(at)
        return file.read(size)


def _files_of(wheel: ZipFile, infos: Sequence[ZipInfo]) -> Iterator[File]:
    # Files are read one after the other.
    whole = lru_cache(1)(wheel.read)
    for info in infos:
        parts = PurePosixPath(info.filename).parts
        kind = stat.S_IFMT(info.external_attr >> 16)
        if kind not in (0, stat.S_IFREG) or ".." in parts:
            raise InstallationError(f"{info.filename} is no file: a link, or something else")
        if _COMPILED not in parts:
            yield File(info.filename, info.file_size, partial(_read_packed, whole, info.filename))


def _read_packed(whole: Callable[[str], bytes], name: str, at: int, size: int) -> bytes:
    return whole(name)[at : at + size]


def _is_beside(info: ZipInfo) -> bool:
    return PurePosixPath(info.filename).parts[0].endswith(_BESIDE)
