"""A refusal of one process that knows which command helps: it stands behind the reason, also in warnings and logs."""

from typing import Final, NamedTuple

_MARK: Final = "; next: "
_PROGRAM: Final = "fob-office centre "


class Reason(NamedTuple):
    """`command`: what an operator says next; None: nobody has said."""

    why: str
    command: str | None


def with_next(why: str, command: str) -> str:
    """`command`: of `fob-office centre`."""
    return f"{why}{_MARK}{_PROGRAM}{command}"


def split_next(told: str) -> Reason:
    """As `with_next` made it."""
    why, _, command = told.rpartition(_MARK)
    return Reason(why, command) if why and command.startswith(_PROGRAM) else Reason(told, None)
