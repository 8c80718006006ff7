"""What the supervisor knows, in a file that `centre status` reads."""

import os
from pathlib import Path
from typing import Final

import msgspec

FILE: Final = "status.json"


class ProcessStatus(msgspec.Struct, frozen=True):
    """One process. Of a meter box: `view` is the number of the one that it holds, `slots` how many it owns."""

    name: str
    kind: str
    state: str
    pid: int | None = None
    restarts: int = 0
    view: int | None = None
    slots: int | None = None


class Status(msgspec.Struct, frozen=True):
    """`is_ready`: all processes of this machine answer, and the meter boxes hold the newest view. Those that were
    tampered with are not waited for. `alone`: slots whose owner has no second that knows all of them.
    """

    pid: int
    is_ready: bool
    view: int
    alone: int
    processes: tuple[ProcessStatus, ...]


def write_status(centre: Path, status: Status) -> None:
    """Nothing is lost with it: it is not flushed. Raises OSError."""
    part = centre / f".{FILE}.part"
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(msgspec.json.encode(status))
    part.replace(centre / FILE)


def read_status(centre: Path) -> Status | None:
    """None: there is none, or it cannot be read."""
    try:
        return msgspec.json.decode((centre / FILE).read_bytes(), type=Status)
    except (OSError, msgspec.DecodeError, msgspec.ValidationError):
        return None
