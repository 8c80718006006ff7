"""A process of a data centre that runs starts again, and one operator at a time changes what there is."""

import asyncio
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from fob_office.centre.boxes.alone import locked
from fob_office.centre.boxes.ending import ANEW_SIGNAL
from fob_office.centre.next_step import STATUS
from fob_office.centre.supervising.status import ProcessStatus, Status, read_status, status_now
from fob_office.errors import OperatorError
from fob_office.secrets.private_file import OWNER_ONLY

_LOCK: Final = "change.lock"
# Seconds until a process answers again, or one that is removed has ended.
_TIME: Final = 30.0
_PAUSE: Final = 0.1


async def restart(centre: Path, name: str) -> None:
    """By the supervisor, which takes it for no crash. Where none is at work, nothing runs. Raises OperatorError."""
    pid = pid_of(centre, name)
    if pid is None:
        return
    with suppress(ProcessLookupError):
        os.kill(pid, ANEW_SIGNAL)
    await until(centre, lambda: _is_ready_again(centre, name, pid), f"{name} does not come back")


async def until(centre: Path, is_done: Callable[[], bool], what: str) -> None:
    """Raises OperatorError."""
    for _ in range(int(_TIME / _PAUSE)):
        if is_done():
            return
        # The supervisor tells by a file.
        await asyncio.sleep(_PAUSE)
    raise OperatorError(what, f"nothing changed in {_TIME:g} s", STATUS)


def _is_ready_again(centre: Path, name: str, pid: int) -> bool:
    found = _named(read_status(centre), name)
    return found is not None and found.state == "ready" and found.pid != pid


def pid_of(centre: Path, name: str) -> int | None:
    """None: it does not run."""
    found = _named(status_now(centre), name)
    return found.pid if found is not None else None


def _named(status: Status | None, name: str) -> ProcessStatus | None:
    return next((one for one in status.processes if one.name == name), None) if status is not None else None


@contextmanager
def changing_alone(centre: Path) -> Iterator[None]:
    """One change at a time. Raises OperatorError, OSError."""
    descriptor = os.open(centre / _LOCK, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, OWNER_ONLY)
    try:
        if not locked(descriptor, patience=0):
            raise OperatorError("the data centre was not changed", "somebody else is changing it", "wait for its end")
        yield
    finally:
        os.close(descriptor)
