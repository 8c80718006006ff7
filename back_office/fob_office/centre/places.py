"""Where everything of a data centre lies: a folder a process, the directory, the views, the sockets."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from fob_office.errors import OperatorError, UsageError
from fob_office.secrets.private_file import replace_file
from fob_protocol.metering.limits import KINDS_LIMIT
from fob_protocol.metering.records import Limits
from fob_protocol.office.hashing import digest
from fob_protocol.office.message import Version

# In the folder of an office.
FOLDER: Final = "centre"
# By which the folder is a data centre; in JSON.
FILE: Final = "centre.json"
# The first one.
OPERATOR: Final = "operator-1"
MANUFACTURING: Final = "manufacturing"

_OWNER_ONLY: Final = 0o700
_OTHERS: Final = 0o077
_FILE_LIMIT: Final = 1 << 20
# Octets of a Unix socket's path (unix(7)), without the last.
SOCKET_LIMIT: Final = 107
# The longest name of a process that is made here, with what stands behind it.
_LONGEST: Final = "authentication-1000.office"
_SOCKET: Final = ".sock"
# Where web workers ask a communication server.
_OFFICE_SOCKET: Final = ".office"
_UNIX: Final = "unix:"


class KindSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How meters of a value kind begin, for steel boxes that are added later. `version`: of both owners' keys."""

    version: int
    freshness: int
    piece: int
    daily: int
    credit: int
    # Whether tokens are signatures (M16).
    is_public: bool = False
    # Whose tickets are admitted, with their least versions, and for how many seconds. Nothing: those that come with
    # Fob, where an earlier version of it made the data centre.
    programs: dict[str, Version] = {}
    age: int | None = None

    @property
    def limits(self) -> Limits:
        """Nothing spent."""
        return Limits(self.piece, self.daily, self.credit, 0, 0)


class ModuleSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where masters are; `pin_file` holds the PIN, which stands nowhere else in the open."""

    library: str
    token: str
    pin_file: str


class CentreSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the data centre's own programs have to know; passwords may stand in `database`."""

    # None: SQLite in the folder of the database server.
    database: str | None = None
    value_kinds: Annotated[dict[str, KindSettings], Meta(max_length=KINDS_LIMIT)] = {}
    # Of transaction boxes that were removed, in hexadecimal: what they signed stands in the log for ever.
    former_log_keys: tuple[str, ...] = ()
    # What function servers tell mailers, for one that is made when no other is left.
    deposit: int = 0
    fee: int = 0
    # Another one than the first, where that one's folder was changed.
    operator: str = OPERATOR
    # None: masters are sealed in the folders of the boxes.
    module: ModuleSettings | None = None

    def __repr__(self) -> str:
        return "CentreSettings(...)"


def centre_folder(state: Path) -> Path:
    """Of the office in this folder."""
    return state.absolute() / FOLDER


def has_centre(state: Path) -> bool:
    """Whether `fob-office centre init` was done."""
    return (centre_folder(state) / FILE).exists()


def load_centre(folder: Path) -> CentreSettings:
    """Raises UsageError: there is none; OperatorError."""
    file = folder / FILE
    try:
        with file.open("rb") as opened:
            return msgspec.json.decode(opened.read(_FILE_LIMIT), type=CentreSettings)
    except FileNotFoundError:
        command = f"fob-office centre init --state {folder.parent}"
        raise UsageError("there is no data centre here", f"{file} is missing", command) from None
    except OSError as error:
        raise OperatorError("the data centre cannot be used", f"{file}: {error.strerror}", f"ls -ld {file}") from None
    except (msgspec.DecodeError, msgspec.ValidationError):
        # Without its text: a password may stand there.
        raise OperatorError("the data centre cannot be used", f"{file} is damaged", "restore a backup") from None


def save_centre(folder: Path, settings: CentreSettings) -> None:
    """All of it, or what was there before. Raises OSError."""
    replace_file(folder / FILE, msgspec.json.format(msgspec.json.encode(settings)) + b"\n")


def sockets_folder(folder: Path) -> Path:
    """In the centre's folder, and where its path is too long for a socket, in /tmp."""
    here = folder / "sockets"
    if len(os.fsencode(here / _LONGEST)) <= SOCKET_LIMIT:
        return here
    return Path("/tmp") / f"fob-{os.geteuid()}-{digest(os.fsencode(folder))[:8].hex()}"  # noqa: S108 - it is checked


@contextmanager
def sockets_made(folder: Path) -> Iterator[Path]:
    """The folder of the sockets, for their owner alone, while the data centre runs.

    Raises OperatorError: it is somebody else's; OSError.
    """
    sockets = sockets_folder(folder)
    sockets.mkdir(mode=_OWNER_ONLY, exist_ok=True)
    found = sockets.lstat()
    if found.st_uid != os.geteuid() or found.st_mode & _OTHERS or sockets.is_symlink():
        why = f"{sockets} is somebody else's, or open to others"
        raise OperatorError("the data centre has no place for its sockets", why, f"ls -ld {sockets}")
    try:
        yield sockets
    finally:
        # What lies in /tmp would be left behind by every data centre that somebody tried.
        shutil.rmtree(sockets, ignore_errors=True)


def socket_address(sockets: Path, name: str) -> str:
    """Of a process of this machine."""
    return f"{_UNIX}{sockets / name}{_SOCKET}"


def is_local(address: str) -> bool:
    """Whether it is a Unix socket."""
    return address.startswith(_UNIX)


def office_socket(address: str) -> Path | None:
    """Where the communication server with this address takes questions of web workers; none over TCP."""
    if not is_local(address):
        return None
    return Path(address.removeprefix(_UNIX)).with_suffix(_OFFICE_SOCKET)
