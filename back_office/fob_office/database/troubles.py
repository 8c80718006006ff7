"""What a database says of itself, in words that help: why it did nothing, and what to do."""

import errno
import re
import sqlite3
from pathlib import Path
from typing import Final

from fob_office.database.engine import PRIMARY_CODE, SQLITE, parse_url
from fob_office.errors import OperatorError

RESTORE: Final = "restore a backup: fob-office run --state BACKUP_FOLDER"
_ROOM: Final = "df -h    (make room, and then the same command)"
_READ_ONLY: Final = "findmnt -o TARGET,OPTIONS    (it has to be writable, and owned by who runs the office)"

_WHO: Final = "mend `database` in office.toml, and its password file (docs/office.md, Settings)"
_WHERE: Final = "pg_isready    (is it running, and where `database` in office.toml says?)"

# By SQLite's result codes.
_SQLITE: Final = {
    sqlite3.SQLITE_FULL: ("the disk is full", _ROOM),
    sqlite3.SQLITE_IOERR: ("the disk could not be read or written", _ROOM),
    sqlite3.SQLITE_READONLY: ("the database cannot be written to", _READ_ONLY),
    sqlite3.SQLITE_CANTOPEN: ("the database, or a file beside it, cannot be opened", _READ_ONLY),
    sqlite3.SQLITE_CORRUPT: ("the database is damaged", RESTORE),
    sqlite3.SQLITE_NOTADB: ("what is there is no database: it is damaged", RESTORE),
    sqlite3.SQLITE_BUSY: ("another program uses the database", "the same command again"),
}
# By PostgreSQL's SQLSTATE.
_POSTGRESQL: Final = {
    "53100": ("the database's disk is full", "make room there, and then the same command"),
    "42P01": ("its tables are older than this program", "fob-office migrate"),
    "42703": ("its tables are older than this program", "fob-office migrate"),
}
# By what PostgreSQL says before there is a connection: then it names no SQLSTATE.
_NO_CONNECTION: Final = (
    (re.compile(r'database "[^"]*" does not exist'), "mend `database` in office.toml, or make it: createdb NAME"),
    (re.compile(r'role "[^"]*" does not exist|authentication failed|no password supplied'), _WHO),
    (re.compile(r"could not translate|[Cc]onnection refused|No such file or directory"), _WHERE),
)
_NO_ROOM: Final = (errno.ENOSPC, errno.EDQUOT)


def why_and_command(error: Exception) -> tuple[str, str]:
    """Of an error of SQLAlchemy's or SQLite's: no statement, no value, no address of SQLAlchemy's."""
    own = getattr(error, "orig", None) or error
    words = " ".join(str(own).split())
    if (state := getattr(own, "sqlstate", None)) in _POSTGRESQL:
        return _POSTGRESQL[str(state)]
    why, command = _SQLITE.get(getattr(own, "sqlite_errorcode", 0) & PRIMARY_CODE, ("", ""))
    if why:
        return f"{why} ({words})", command
    if words.startswith(("no such table", "no such column")):
        return f"its tables are older than this program ({words})", "fob-office migrate"
    return words, next((help_ for said, help_ in _NO_CONNECTION if said.search(words)), "the same command again")


def of_system(error: OSError) -> tuple[str, str | None]:
    """What the operating system says, with the file's name where it has one, and what helps if that is known."""
    words = error.strerror or " ".join(str(error).split())
    command = _ROOM if error.errno in _NO_ROOM else _READ_ONLY if error.errno == errno.EROFS else None
    return f"{error.filename}: {words}" if error.filename else words, command


def check_file(url: str) -> None:
    """Raises OperatorError: it is a file of SQLite's, and missing. One that is open to others is closed to them."""
    parsed = parse_url(url)
    if parsed.get_backend_name() != SQLITE:
        return
    path = Path(parsed.database or "")
    try:
        mode = path.stat().st_mode
        if mode & 0o077:
            path.chmod(0o600)
    except FileNotFoundError:
        raise OperatorError(
            f"{path.name} is missing", f"{path} is not there: it was moved or deleted", RESTORE
        ) from None
    except OSError as error:
        why, command = of_system(error)
        raise OperatorError(f"{path.name} cannot be used", why, command or f"ls -l {path}") from None
