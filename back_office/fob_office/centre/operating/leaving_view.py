"""A meter box leaves the view before it is removed, while it still answers.

A view without it has to be made, by the manufacturing box; until then a slot would have nobody.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from fob_office.centre.boxes.folder import was_tampered_with
from fob_office.centre.boxes.views import View
from fob_office.centre.bus.errors import AwayError
from fob_office.centre.commands.meter import HeldView
from fob_office.centre.next_step import STATUS
from fob_office.centre.operating.knowing import put_back_beside
from fob_office.centre.operating.operator import Operator
from fob_office.centre.supervising.leaving import leaving
from fob_office.centre.supervising.status import status_now
from fob_office.centre.view_file import ViewFile
from fob_office.errors import OperatorError

_NOTHING: Final = "nothing was removed"
# Seconds until the view is without it; and until it is no use to wait, as none can be made.
_TIME: Final = 30.0
_PATIENCE: Final = 5.0
_PAUSE: Final = 0.1


@asynccontextmanager
async def left_by(operator: Operator, name: str) -> AsyncIterator[None]:
    """While it is open, no view has this box, and whoever answers for its meters knows all of them.

    Raises OperatorError: what it owns, or knows better than the box beside it, would be lost with it; BusRefusedError,
    AwayError.
    """
    view = _view(operator)
    await _check_seconds(operator, name, view)
    if (away := await _away(operator, name)) is not None:
        # Nothing can be compared: those beside it take over by themselves, where they know all.
        await _until_left(operator, name, f"{name} {away}, and is in the view still")
    elif (found := await put_back_beside(operator, name, view)) is not None:
        raise OperatorError(_NOTHING, found.why, f"fob-office centre box remove {found.box}")
    with leaving(operator.centre, name):
        await _until_left(operator, name, f"the view has {name} still, after {_TIME:g} s")
        yield


async def _check_seconds(operator: Operator, name: str, view: View) -> None:
    complete: dict[str, tuple[int, ...]] = {}
    for number, slot in enumerate(view.slots):
        if slot.owner != name:
            continue
        if slot.second is not None and slot.second not in complete:
            complete[slot.second] = (await operator.one(slot.second, HeldView())).complete
        if slot.second is None or number not in complete[slot.second]:
            why = f"slot {number} is known to no other box yet"
            raise OperatorError(_NOTHING, why, f"{STATUS}    (and wait until there is a second)")


async def _away(operator: Operator, name: str) -> str | None:
    """Why it cannot be asked any more; None: it can."""
    if was_tampered_with(operator.centre / name):
        return "was tampered with"
    try:
        await operator.one(name, HeldView())
    except AwayError as error:
        return f"does not answer ({error.why})"
    return None


async def _until_left(operator: Operator, name: str, why: str) -> None:
    """Raises OperatorError."""
    loop = asyncio.get_running_loop()
    begun = hindered = loop.time()
    no_view = ""
    while any(name in (slot.owner, slot.second) for slot in _view(operator).slots):
        now, status = loop.time(), status_now(operator.centre)
        no_view = status.no_view if status is not None else ""
        if not no_view:
            hindered = now
        if now - begun > _TIME or now - hindered > _PATIENCE:
            told = f"{why}: no view can be made: {no_view}" if no_view else why
            raise OperatorError(_NOTHING, told, STATUS)
        # The supervisor tells by files.
        await asyncio.sleep(_PAUSE)


def _view(operator: Operator) -> View:
    return ViewFile(operator.centre, operator.manufacturing).newest()
