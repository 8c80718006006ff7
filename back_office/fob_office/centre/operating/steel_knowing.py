"""Whether a steel box knows less than it once did: it would give out serials, or use keys, that are over (M8, M22).

It has two numbers that only go up: that of its serials, which its meters show, and the versions of the owners' keys,
of which all steel boxes are given the same ones.
"""

from collections.abc import Iterable, Mapping

from fob_office.centre.boxes.steel.serials import box_number, counter_of, make_serial, serials_of
from fob_office.centre.bus.errors import AwayError, BusRefusedError
from fob_office.centre.bus.passes import Kind
from fob_office.centre.commands.database import FetchMeters
from fob_office.centre.commands.meter import LastChange
from fob_office.centre.commands.steel import HeldNumbers, NumbersHeld
from fob_office.centre.operating.recovering import Asking
from fob_office.centre.view_file import ViewFile


async def put_back_among(operator: Asking, names: Iterable[str], views: ViewFile) -> dict[str, str]:
    """Of these steel boxes those that know less than they should, and how that shows; who does not answer is left out.

    Raises DirectoryError.
    """
    held: dict[str, NumbersHeld] = {}
    for name in names:
        try:
            held[name] = await operator.one(name, HeldNumbers())
        except (AwayError, BusRefusedError):
            continue
    found = {}
    for name in held:
        why = _older_keys(name, held) or await _serial_again(operator, name, held[name].serials, views)
        if why is not None:
            found[name] = why
    return found


def _older_keys(name: str, held: Mapping[str, NumbersHeld]) -> str | None:
    mine = dict(held[name].versions)
    for other, numbers in held.items():
        for value_kind, version in numbers.versions:
            if version > mine.get(value_kind, 0):
                return f"{other} has keys {version} of {value_kind}, and {name} has {mine.get(value_kind, 0) or 'none'}"
    return None


async def _serial_again(operator: Asking, name: str, last: int, views: ViewFile) -> str | None:
    """Whether there is a meter with a serial that it has yet to give out."""
    try:
        serial = await _meter_after(operator, name, last)
        if serial is None:
            return None
        # The database says what its staff want: a meter box knows what there is. And it may just have been begun.
        await operator.one(views.newest().of(serial).owner, LastChange(serial))
        last = (await operator.one(name, HeldNumbers())).serials
    except (AwayError, BusRefusedError):
        return None
    return f"there is meter {serial}, and {name} gave out {last}" if (counter_of(serial) or 0) > last else None


async def _meter_after(operator: Asking, name: str, last: int) -> str | None:
    """A meter of this box with a greater number, if there is one. Raises BusRefusedError."""
    box = box_number(name)
    after = make_serial(box, last) if last else serials_of(box)
    meters = (await operator.any(Kind.DATABASE, FetchMeters(after, 1))).meters
    serial = meters[0][0] if meters else ""
    return serial if serial.startswith(serials_of(box)) and counter_of(serial) is not None else None
