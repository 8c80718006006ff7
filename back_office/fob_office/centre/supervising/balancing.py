"""Slots are spread over all meter boxes again, after one came back or was added: rules without any doing (M34).

One view at a time, and only from one in which every second knows all. In it an owner changes places with its second, or
a slot gets another second. Who takes a slot over so knows all of it, and who has nothing to do gets some first as a
second. What a view moves is on one disk until its second has fetched it: at most AT_ONCE slots.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Final

from fob_office.centre.boxes.views import Slot, View
from fob_office.centre.supervising.policy import BoxState

AT_ONCE: Final = 16
# Less is no better than what there is.
_WORTH: Final = 2


def balanced_slots(view: View, boxes: Mapping[str, BoxState]) -> tuple[Slot, ...] | None:
    """All slots of the next view; None: this one stays, as it is even, or somebody is away or does not know all."""
    there = sorted(name for name, state in boxes.items() if state.is_there)
    if not is_settled(view, boxes):
        return None
    for step in (_swapped, _prepared, _seconded):
        slots = step(view.slots, there)
        if slots != view.slots:
            return slots
    return None


def is_settled(view: View, boxes: Mapping[str, BoxState]) -> bool:
    """Whether each slot is on two disks, whole."""
    return all(
        boxes.get(slot.owner, _AWAY).is_there and number in _known(slot.second, boxes)
        for number, slot in enumerate(view.slots)
    )


_AWAY: Final = BoxState(is_there=False)


def _known(second: str | None, boxes: Mapping[str, BoxState]) -> frozenset[int]:
    state = boxes.get(second, _AWAY) if second is not None else _AWAY
    return state.complete if state.is_there else frozenset()


def _swapped(slots: tuple[Slot, ...], _: list[str]) -> tuple[Slot, ...]:
    """Owners that have more than their seconds leave slots to them."""
    owned = Counter(slot.owner for slot in slots)
    left, after = AT_ONCE, []
    for slot in slots:
        if left and slot.second is not None and owned[slot.owner] - owned[slot.second] >= _WORTH:
            _move(owned, slot.owner, slot.second)
            after.append(Slot(slot.second, slot.owner))
            left -= 1
        else:
            after.append(slot)
    return tuple(after)


def _prepared(slots: tuple[Slot, ...], there: list[str]) -> tuple[Slot, ...]:
    """Slots of owners that have too many get the box with least as second, which owns them in a later view."""
    owned = Counter(slot.owner for slot in slots)
    left, after = AT_ONCE, []
    for slot in slots:
        least = min(there, key=lambda name: (owned[name], name))
        if left and owned[slot.owner] - owned[least] >= _WORTH:
            _move(owned, slot.owner, least)
            after.append(Slot(slot.owner, least))
            left -= 1
        else:
            after.append(slot)
    return tuple(after)


def _seconded(slots: tuple[Slot, ...], there: list[str]) -> tuple[Slot, ...]:
    """Seconds that have more than others leave slots to them."""
    seconded = Counter(slot.second for slot in slots if slot.second is not None)
    left, after = AT_ONCE, []
    for slot in slots:
        least = min((name for name in there if name != slot.owner), key=lambda name: (seconded[name], name))
        if left and slot.second is not None and seconded[slot.second] - seconded[least] >= _WORTH:
            _move(seconded, slot.second, least)
            after.append(Slot(slot.owner, least))
            left -= 1
        else:
            after.append(slot)
    return tuple(after)


def _move(counts: Counter[str], one: str, other: str) -> None:
    counts[one] -= 1
    counts[other] += 1
