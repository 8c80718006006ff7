"""A copy of an office that works where it is put, made while the office runs."""

import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

from sqlalchemy import URL

from fob_office.database.engine import SQLITE, connect_file, create_file, parse_url
from fob_office.database.troubles import check_file, of_system, why_and_command
from fob_office.errors import OperatorError
from fob_office.issuer.key_file import FILE as ISSUER_FILE
from fob_office.secrets.master_key import FILE as MASTER_FILE
from fob_office.settings import DATABASE_FILE, Settings
from fob_office.settings import FILE as SETTINGS_FILE
from fob_office.tls import FOLDER as TLS_FOLDER

NOT_MADE: Final = "no backup was made"
DUMP_FILE: Final = "office.dump"


def back_up(settings: Settings, folder: Path) -> str | None:
    """Fill a new folder (mode 0700). For PostgreSQL the command that copies the rest, without a password.

    It holds the master key, if that is a file of the office: whoever has the backup has everything. Raises
    OperatorError, OSError.
    """
    check_file(settings.database_url)
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        raise OperatorError(NOT_MADE, f"{folder} is there already", "fob-office backup ANOTHER_FOLDER") from None
    except OSError as error:
        raise _not_made(error) from None
    try:
        for name in (SETTINGS_FILE, MASTER_FILE, ISSUER_FILE):
            if (settings.state / name).exists():
                _copy_file(settings.state / name, folder / name)
        if (settings.state / TLS_FOLDER).is_dir():
            shutil.copytree(settings.state / TLS_FOLDER, folder / TLS_FOLDER)
        return _copy_database(settings, folder)
    except OSError as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise _not_made(error) from None
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _not_made(error: OSError) -> OperatorError:
    why, command = of_system(error)
    return OperatorError(NOT_MADE, why, command or "fob-office backup ANOTHER_FOLDER")


def _copy_database(settings: Settings, folder: Path) -> str | None:
    url = parse_url(settings.database_url)
    if url.get_backend_name() != SQLITE:
        return dump_command(url, folder / DUMP_FILE)
    copy_sqlite(Path(url.database or ""), folder / DATABASE_FILE)
    return None


def copy_sqlite(source: Path, copy: Path) -> None:
    """One state of the database, whoever writes meanwhile, as a new file. Raises OperatorError, OSError."""
    create_file(copy)
    try:
        with closing(connect_file(source)) as opened, closing(connect_file(copy)) as target:
            opened.backup(target)
    except sqlite3.Error as error:
        raise OperatorError(NOT_MADE, *why_and_command(error)) from None
    _sync(copy)


def dump_command(url: URL, file: Path) -> str:
    """For PostgreSQL, without a password."""
    return f"pg_dump --format=custom --file={file} '{_shown(url)}'"


def restore_command(url: URL, file: Path) -> str:
    """What puts it back, all of it or nothing, in the place of what is there; without a password."""
    return f"pg_restore --clean --if-exists --single-transaction --dbname='{_shown(url)}' {file}"


def _shown(url: URL) -> str:
    return url.set(drivername="postgresql").render_as_string(hide_password=True).replace(":***", "")


def _copy_file(source: Path, target: Path) -> None:
    # With its mode.
    shutil.copy2(source, target)
    _sync(target)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
