"""What an operator has to do something about, in sentences with the command that helps: for status, page, /healthz."""

from typing import Final

from fob_office.centre.supervising.status import PUT_BACK, TAMPERED, ProcessStatus, Status, lost_kinds

_BOX: Final = "fob-office centre box"
# Those that nothing replaces (docs/office.md).
_FOR_EVER: Final = {
    "manufacturing": "no process is added and no slot moves any more; a data centre has one, for ever",
    "payment": "no money comes or goes any more; a data centre has one, for ever",
}


def troubles_of(status: Status) -> list[str]:
    """Of all sorts."""
    return [*tampered_of(status), *put_back_of(status), *no_view_of(status)]


def tampered_of(status: Status) -> list[str]:
    """One for each box that was tampered with."""
    lost = lost_kinds(status.processes)
    return [
        f"{process.name} was tampered with{_what_helps(process.name, process.kind, is_lost=process.kind in lost)}"
        for process in status.processes
        if process.state == TAMPERED
    ]


def put_back_of(status: Status) -> list[str]:
    """One for each box that was put back to an older folder."""
    return [_put_back(process) for process in status.processes if process.state == PUT_BACK]


def no_view_of(status: Status) -> list[str]:
    """One where slots wait for a view, or are not spread, as no view can be made."""
    if not status.no_view:
        return []
    helps = "end the data centre, put back the newest folder of manufacturing that there is, and fob-office run"
    return [f"no slot goes to another meter box, as no view can be made ({status.no_view}): {helps}"]


def _put_back(process: ProcessStatus) -> str:
    why = f" ({process.why})" if process.why else ""
    add, remove = f"{_BOX} add {process.kind}", f"{_BOX} remove {process.name}"
    # Of steel boxes the last one cannot be removed; a meter box frees its slots for the next one.
    helps = f"{add}, and {remove}" if process.kind == "steel" else f"{remove}, and {add}"
    return f"{process.name} was put back to an older folder{why}: {helps}"


def _what_helps(name: str, kind: str, *, is_lost: bool) -> str:
    if kind in _FOR_EVER:
        return f": {_FOR_EVER[kind]}"
    add = f"{_BOX} add {kind}"
    return f", and no other {kind} process is there: {add}" if is_lost else f": {add}, and {_BOX} remove {name}"
