"""Slots are spread over meter boxes again: only to who knows all, one view at a time, and it comes to an end."""

from collections import Counter
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fob_office.centre.boxes.meter.ownership import Held, next_held
from fob_office.centre.boxes.views import Slot, View
from fob_office.centre.founding.making import first_slots
from fob_office.centre.limits import SLOTS
from fob_office.centre.supervising.balancing import AT_ONCE, balanced_slots
from fob_office.centre.supervising.policy import BoxState, next_slots

NAMES = ("meter-1", "meter-2", "meter-3", "meter-4")
ALL = frozenset(range(SLOTS))
THERE, GONE = BoxState(is_there=True, complete=ALL), BoxState(is_there=False, complete=ALL)


def test_what_is_even_stays() -> None:
    for count in (2, 3, 4):
        names = list(NAMES[:count])
        assert balanced_slots(View(1, first_slots(names)), dict.fromkeys(names, THERE)) is None


def test_one_that_came_back_gets_its_half_in_two_views() -> None:
    view = View(3, (Slot("meter-2", "meter-1"),) * SLOTS)
    boxes = {"meter-1": THERE, "meter-2": THERE}
    counts = []
    while (slots := balanced_slots(view, boxes)) is not None:
        view = View(view.number + 1, slots)
        counts.append(sum(slot.owner == "meter-1" for slot in slots))
    assert counts == [16, 32]


def test_one_that_was_added_is_a_second_first() -> None:
    view = View(1, first_slots(["meter-1", "meter-2"]))
    slots = balanced_slots(view, dict.fromkeys(NAMES[:3], THERE))
    assert slots is not None
    assert [slot.owner for slot in slots] == [slot.owner for slot in view.slots]
    assert sum(slot.second == "meter-3" for slot in slots) == AT_ONCE


@pytest.mark.clause("M34")
def test_nothing_moves_while_somebody_is_away_or_does_not_know_all() -> None:
    view = View(3, (Slot("meter-2", "meter-1"),) * SLOTS)
    for first in (GONE, BoxState(is_there=True, complete=ALL - {17})):
        assert balanced_slots(view, {"meter-1": first, "meter-2": THERE, "meter-3": THERE}) is None
    assert balanced_slots(view, {"meter-1": THERE, "meter-2": GONE}) is None
    assert balanced_slots(View(1, (Slot("meter-1", None),) * SLOTS), {"meter-1": THERE}) is None


@st.composite
def views(draw: st.DrawFn, count: int) -> View:
    slots = []
    for _ in range(SLOTS):
        owner, second = draw(st.permutations(NAMES[:count]))[:2]
        slots.append(Slot(owner, second))
    return View(1, tuple(slots))


@pytest.mark.clause("M34")
@given(st.integers(2, len(NAMES)).flatmap(lambda count: st.tuples(st.just(count), views(count))))
def test_from_any_view_it_becomes_even_and_only_complete_boxes_begin_to_own(scene: tuple[int, View]) -> None:
    count, view = scene
    boxes = dict.fromkeys(NAMES[:count], THERE)
    held = {name: Held(view, b"", ALL) for name in boxes}
    for _ in range(200):
        slots = balanced_slots(view, boxes)
        if slots is None:
            break
        after = View(view.number + 1, slots)
        changed = [number for number in range(SLOTS) if slots[number] != view.slots[number]]
        assert 0 < len(changed) <= AT_ONCE
        held = {name: next_held(name, one, after, b"") for name, one in held.items()}
        for number in range(SLOTS):
            # The owner knows all of it at once, by the boxes' own rule.
            assert number in held[slots[number].owner].complete
            assert slots[number].second not in (None, slots[number].owner)
        # The policy for boxes that are gone agrees with what was made of it.
        assert next_slots(after, {name: BoxState(is_there=True) for name in boxes}) is None
        assert balanced_slots(after, _incomplete(boxes)) is None
        view, held = after, {name: Held(after, b"", ALL) for name in boxes}
    assert balanced_slots(view, boxes) is None, "it goes on for ever"
    owned = Counter(slot.owner for slot in view.slots)
    assert max(owned.values()) - min(owned[name] for name in boxes) <= 1


def _incomplete(boxes: Mapping[str, BoxState]) -> dict[str, BoxState]:
    return {name: BoxState(is_there=True) for name in boxes}
