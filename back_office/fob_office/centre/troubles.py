"""Boxes that were tampered with, in sentences with the command that helps: for an operator, page and /healthz."""

from typing import Final

from fob_office.centre.supervising.status import TAMPERED, Status, lost_kinds

_BOX: Final = "fob-office centre box"
# Those that nothing replaces (docs/office.md).
_FOR_EVER: Final = {
    "manufacturing": "no process is added and no slot moves any more; a data centre has one, for ever",
    "payment": "no money comes or goes any more; a data centre has one, for ever",
}


def troubles_of(status: Status) -> list[str]:
    """One for each box."""
    lost = lost_kinds(status.processes)
    return [
        f"{process.name} was tampered with{_what_helps(process.name, process.kind, is_lost=process.kind in lost)}"
        for process in status.processes
        if process.state == TAMPERED
    ]


def _what_helps(name: str, kind: str, *, is_lost: bool) -> str:
    if kind in _FOR_EVER:
        return f": {_FOR_EVER[kind]}"
    add = f"{_BOX} add {kind}"
    return f", and no other {kind} process is there: {add}" if is_lost else f": {add}, and {_BOX} remove {name}"
