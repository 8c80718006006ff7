"""A person's files: read and written whole, with every octet that is not ours as it was."""

import os
import stat
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from fob_daemon.control.errors import ControlError

# Larger ones are not configuration.
FILE_LIMIT: Final = 1 << 20

PRIVATE: Final = 0o600
PUBLIC: Final = 0o644
PROGRAM: Final = 0o755


def read(path: Path) -> str | None:
    """The text, None where there is no file. Octets that are no UTF-8 come back as they were. Raises ControlError."""
    try:
        with path.open("rb") as file:
            octets = file.read(FILE_LIMIT + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _fault("read", path, error) from None
    if len(octets) > FILE_LIMIT:
        raise ControlError(f"{path} was not read", f"it is over {FILE_LIMIT} octets", f"ls -l {path}")
    return octets.decode("utf-8", "surrogateescape")


def write(path: Path, text: str, mode: int, *, keeps_mode: bool = True) -> None:
    """Whole or not at all, where a link leads; `keeps_mode`: a file that is there has its own. Raises ControlError."""
    place = path.resolve()
    beside = place.with_name(f"{place.name}.fob-new")
    try:
        make_folder(place.parent)
        kept = place.stat().st_mode & 0o7777 if keeps_mode and place.exists() else mode
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE)
        with os.fdopen(descriptor, "wb") as file:
            file.write(text.encode("utf-8", "surrogateescape"))
        beside.chmod(kept)
        beside.replace(place)
    except OSError as error:
        with suppress(OSError):
            beside.unlink()
        raise _fault("written", path, error) from None


def keep(path: Path) -> Callable[[], None]:
    """What puts the file back as it is now, with its mode, or none where there is none. Both raise ControlError."""
    place = path.resolve()
    text = read(place)
    if text is None:
        return lambda: remove(place) if place.exists() else None
    try:
        mode = stat.S_IMODE(place.stat().st_mode)
    except OSError as error:
        raise _fault("read", place, error) from None
    return lambda: write(place, text, mode, keeps_mode=False)


def make_folder(path: Path) -> None:
    """For its owner only, as programs want folders like ~/.ssh; those above it as the umask says. Raises OSError."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.mkdir(mode=0o700)


def remove(path: Path) -> None:
    """Where a link leads, as `write` writes; the link stays. Raises ControlError."""
    remove_itself(path.resolve())


def remove_itself(path: Path) -> None:
    """Also where it is a link. Raises ControlError."""
    try:
        path.unlink()
    except OSError as error:
        raise _fault("removed", path, error) from None


def _fault(done: str, path: Path, error: OSError) -> ControlError:
    return ControlError(f"{path} was not {done}", error.strerror or str(error), f"ls -ld {path.parent} {path}")
