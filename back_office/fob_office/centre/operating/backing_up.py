"""What of a data centre is backed up, and put back: the meters' database, who is who, and the views. No box is.

A box's folder that was put back is an old box: it would take old records for new, sign another log, or give a serial
twice. What boxes know is on two disks, or (of the manufacturing and steel boxes) is made anew with another data centre.
"""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy import URL

from fob_office.backup import copy_sqlite, dump_command, restore_command
from fob_office.centre.bus.directory import FILE as DIRECTORY
from fob_office.centre.bus.passes import Kind
from fob_office.centre.database.process import FILE as METERS
from fob_office.centre.operating.here import names_here
from fob_office.centre.places import FILE as SETTINGS
from fob_office.centre.places import load_centre
from fob_office.centre.supervising.history import FOLDER as VIEWS
from fob_office.centre.supervising.lock import supervising
from fob_office.centre.view_file import FILE as VIEW
from fob_office.database.engine import SQLITE, parse_url
from fob_office.errors import OperatorError
from fob_office.secrets.private_file import flush_folder

# In the backup of an office: not the name of a data centre, as it has no boxes to run.
FOLDER: Final = "centre.backup"
DUMP_FILE: Final = "meters.dump"
# What SQLite keeps beside a database.
_BESIDE: Final = ("", "-wal", "-shm")
_REPLACED: Final = ".replaced"
_NOT_RESTORED: Final = "nothing was put back"


def back_up_centre(centre: Path, backup: Path) -> str | None:
    """Fill a folder in the `backup` of its office. For PostgreSQL the command that copies the rest.

    Raises OperatorError, DirectoryError, OSError.
    """
    url = _postgresql(centre)
    folder = backup / FOLDER
    folder.mkdir(mode=0o700)
    for name in (SETTINGS, DIRECTORY, VIEW):
        shutil.copy2(centre / name, folder / name)
    shutil.copytree(centre / VIEWS, folder / VIEWS)
    if url is not None:
        return dump_command(url, folder / DUMP_FILE)
    for name in names_here(centre, Kind.DATABASE):
        (folder / name).mkdir(mode=0o700)
        copy_sqlite(centre / name / METERS, folder / name / METERS)
    return None


@dataclass(frozen=True, slots=True)
class Restored:
    """The files that were put back, and for PostgreSQL the command that puts back the meters' database."""

    files: tuple[str, ...]
    command: str | None


def restore_centre(centre: Path, backup: Path) -> Restored:
    """The meters' database as it was, while the data centre does not run; what of it was there is kept beside it.

    Who is who and the views are put back only where they are missing: those of now are newer. Raises OperatorError,
    DirectoryError, OSError.
    """
    folder = backup / FOLDER if (backup / FOLDER).is_dir() else backup
    if not (folder / DIRECTORY).is_file():
        raise OperatorError(_NOT_RESTORED, f"{backup} is no backup of a data centre", "fob-office backup FOLDER")
    if not centre.is_dir():
        why = f"{centre} is missing, and no backup holds boxes"
        raise OperatorError(_NOT_RESTORED, why, "put the boxes' folders there; without them: fob-office centre init")
    with supervising(centre):
        done = [name for name in (SETTINGS, DIRECTORY, VIEW) if _put_missing(folder / name, centre / name)]
        (centre / VIEWS).mkdir(mode=0o700, exist_ok=True)
        for view in sorted((folder / VIEWS).iterdir()):
            _put_missing(view, centre / VIEWS / view.name)
        for name in names_here(centre, Kind.DATABASE):
            source = _kept_database(folder, name)
            if source is not None:
                _put_database(source, centre / name / METERS)
                done.append(f"{name}/{METERS}")
        url = _postgresql(centre)
        return Restored(tuple(done), restore_command(url, folder / DUMP_FILE) if url is not None else None)


def _postgresql(centre: Path) -> URL | None:
    """Where the meters' database is. None: in a file. Raises OperatorError."""
    url = load_centre(centre).database
    if url is None or parse_url(url).get_backend_name() == SQLITE:
        return None
    return parse_url(url)


def _kept_database(folder: Path, name: str) -> Path | None:
    """Of this database server, or of the one that it took the place of: a file has one."""
    kept = [folder / name / METERS, *folder.glob(f"*/{METERS}")]
    return next((path for path in kept if path.is_file()), None)


def _put_missing(source: Path, place: Path) -> bool:
    if place.exists():
        return False
    _put(source, place)
    return True


def _put_database(source: Path, place: Path) -> None:
    for suffix in _BESIDE:
        before = place.with_name(place.name + suffix)
        if before.exists():
            before.replace(place.with_name(f"{place.name}{_REPLACED}{suffix}"))
    _put(source, place)


def _put(source: Path, place: Path) -> None:
    """All of it, or nothing."""
    part = place.with_name(f".{place.name}.part")
    shutil.copy2(source, part)
    descriptor = os.open(part, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    part.replace(place)
    flush_folder(place.parent)
