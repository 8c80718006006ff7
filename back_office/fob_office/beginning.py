"""The folder of an office that is being made: whoever is cut off in the middle of it goes on by the same command."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from fob_office.errors import OperatorError
from fob_office.secrets.private_file import OWNER_ONLY, flush_folder
from fob_office.settings import FILE

# There from the first step of `init` until the last one: what stands beside it is of that office, and not yet one.
MARK: Final = "init.begun"
NOT_MADE: Final = "no office was made"


@contextmanager
def beginning(state: Path) -> Iterator[None]:
    """At its end the folder is an office. Raises OperatorError, OSError."""
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    _check(state)
    # systemd, or the operator, may have made it.
    with suppress(PermissionError):
        state.chmod(0o700)
    mark = state / MARK
    with os.fdopen(os.open(mark, os.O_CREAT | os.O_WRONLY, OWNER_ONLY), "wb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise OperatorError(NOT_MADE, f"another init is at work in {state}", "wait for its end") from None
        # It may have come to its end between.
        _check(state)
        yield
        mark.unlink(missing_ok=True)
        flush_folder(state)


def again(state: Path) -> str:
    """What helps when the folder is of no use."""
    return f"fob-office init --state ANOTHER_FOLDER    (or empty {state})"


def _check(state: Path) -> None:
    names = {path.name for path in state.iterdir()}
    if FILE in names:
        raise OperatorError(NOT_MADE, f"there is one in {state}", f"fob-office run --state {state}")
    if names and MARK not in names:
        raise OperatorError(NOT_MADE, f"{state} is not empty", again(state))
