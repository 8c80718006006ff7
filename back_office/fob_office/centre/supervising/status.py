"""What the supervisor knows, in a file that `centre status` reads."""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

import msgspec

from fob_office.centre.supervising.lock import is_supervised
from fob_office.secrets.private_file import replace_unflushed

FILE: Final = "status.json"
# The state of a box that found its folder changed.
TAMPERED: Final = "tampered"
# Of one that answers, and knows less than it once did.
PUT_BACK: Final = "put-back"


class ProcessStatus(msgspec.Struct, frozen=True):
    """One process. Of a meter box: `view` is the number of the one that it holds, `slots` how many it owns.

    `why`: of a box that was put back, how that shows.
    """

    name: str
    kind: str
    state: str
    pid: int | None = None
    restarts: int = 0
    view: int | None = None
    slots: int | None = None
    why: str = ""


class Status(msgspec.Struct, frozen=True):
    """`is_ready`: all processes of this machine answer, and the meter boxes hold the newest view. Of those that were
    tampered with another of the kind is there, and no slot waits for a view. `alone`: slots whose owner has no second
    that knows all of them. `no_view`: why the manufacturing box makes no view that is wanted. `due`: whose newer pass
    is not on its machine.
    """

    pid: int
    is_ready: bool
    view: int
    alone: int
    processes: tuple[ProcessStatus, ...]
    no_view: str = ""
    due: tuple[str, ...] = ()


def lost_kinds(processes: Iterable[ProcessStatus]) -> frozenset[str]:
    """All of which were tampered with: nobody does what they did."""
    there = tuple(processes)
    return frozenset(one.kind for one in there) - {one.kind for one in there if one.state != TAMPERED}


def write_status(centre: Path, status: Status) -> None:
    """Raises OSError."""
    replace_unflushed(centre / FILE, msgspec.json.encode(status))


def status_now(centre: Path) -> Status | None:
    """None: no supervisor is at work, or it says nothing yet. Raises OSError."""
    return read_status(centre) if is_supervised(centre) else None


def read_status(centre: Path) -> Status | None:
    """None: there is none, or it cannot be read."""
    try:
        return msgspec.json.decode((centre / FILE).read_bytes(), type=Status)
    except (OSError, msgspec.DecodeError, msgspec.ValidationError):
        return None
