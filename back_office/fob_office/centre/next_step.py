"""A refusal of one process that knows which command helps: it stands behind the reason, also in warnings and logs."""

from typing import Final, NamedTuple

_MARK: Final = "; next: "
_PROGRAM: Final = "fob-office centre "
# Where nothing else is known to help.
STATUS: Final = f"{_PROGRAM}status"


class Reason(NamedTuple):
    """`command`: what an operator says next; None: nobody has said."""

    why: str
    command: str | None


def with_next(why: str, command: str) -> str:
    """`command`: of `fob-office centre`."""
    return f"{why}{_MARK}{_PROGRAM}{command}"


def shortened(told: str, limit: int) -> str:
    """At most so many characters; the reason is cut, and the command behind it is not."""
    why, command = split_next(told)
    if command is None:
        return told[:limit]
    behind = f"{_MARK}{command}"
    return f"{why[: limit - len(behind)]}{behind}" if len(behind) < limit else told[:limit]


def split_next(told: str) -> Reason:
    """As `with_next` made it."""
    why, _, command = told.rpartition(_MARK)
    return Reason(why, command) if why and command.startswith(_PROGRAM) else Reason(told, None)
