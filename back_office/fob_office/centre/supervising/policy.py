"""Which meter box owns each slot from now on: rules without any doing (M3, M34).

An owner that is gone is replaced by its second, where that one holds all of the slot; nobody else ever becomes an
owner. An owner goes on without a second only while no other box is there, and gets one again as soon as one is.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from fob_office.centre.boxes.views import Slot, View


@dataclass(frozen=True, slots=True)
class BoxState:
    """A meter box as the supervisor sees it.

    `is_there`: it answers, or has not been away for long. `complete`: slots of which it is second in the newest view,
    and holds all; only as it said itself, holding that view.
    """

    is_there: bool
    complete: frozenset[int] = frozenset()


def next_slots(view: View, boxes: Mapping[str, BoxState]) -> tuple[Slot, ...] | None:
    """All slots of the next view; None: this one stays. Boxes that are not named are not there."""
    there = sorted(name for name, state in boxes.items() if state.is_there)
    load = Counter(name for slot in view.slots for name in (slot.owner, slot.second) if name is not None)
    slots = tuple(_next_slot(number, slot, boxes, there, load) for number, slot in enumerate(view.slots))
    return slots if slots != view.slots else None


def _next_slot(
    number: int, slot: Slot, boxes: Mapping[str, BoxState], there: list[str], load: Counter[str]
) -> Slot:  # fmt: skip
    if slot.owner in there:
        if slot.second in there:
            return slot
        return Slot(slot.owner, _choose(slot.owner, there, load))
    if slot.second in there and slot.second is not None and number in boxes[slot.second].complete:
        return Slot(slot.second, _choose(slot.second, there, load))
    # Who knows all of it is away: it is waited for.
    return slot


def _choose(owner: str, there: list[str], load: Counter[str]) -> str | None:
    """The box that has least to do, as a second."""
    others = [name for name in there if name != owner]
    if not others:
        return None
    chosen = min(others, key=lambda name: (load[name], name))
    load[chosen] += 1
    return chosen
