"""Which meter box owns each slot from now on: never two, never one that does not know it all, and always somebody."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fob_office.centre.boxes.meter.ownership import Held, next_held
from fob_office.centre.boxes.views import Slot, View
from fob_office.centre.founding.making import first_slots
from fob_office.centre.limits import SLOTS
from fob_office.centre.supervising.policy import BoxState, next_slots

NAMES = ("meter-1", "meter-2", "meter-3", "meter-4")
ALL = frozenset(range(SLOTS))
THERE, GONE = BoxState(is_there=True, complete=ALL), BoxState(is_there=False, complete=ALL)
INCOMPLETE = BoxState(is_there=True)


def view_of(*names: str, number: int = 1) -> View:
    return View(number, first_slots(list(names)))


def owners(slots: tuple[Slot, ...] | None) -> set[str]:
    assert slots is not None
    return {slot.owner for slot in slots}


def test_nothing_changes_while_all_are_there() -> None:
    assert next_slots(view_of("meter-1", "meter-2"), {"meter-1": THERE, "meter-2": THERE}) is None
    assert next_slots(view_of("meter-1"), {"meter-1": THERE}) is None


@pytest.mark.clause("M3", "M34")
def test_the_second_takes_the_place_of_an_owner_that_is_gone() -> None:
    slots = next_slots(view_of("meter-1", "meter-2"), {"meter-1": GONE, "meter-2": THERE})
    assert slots == (Slot("meter-2", None),) * SLOTS


@pytest.mark.clause("M34")
def test_a_second_that_does_not_know_all_of_a_slot_never_owns_it() -> None:
    boxes = {"meter-1": GONE, "meter-2": INCOMPLETE, "meter-3": THERE}
    slots = next_slots(view_of("meter-1", "meter-2"), boxes)
    assert slots is not None
    for before, after in zip(view_of("meter-1", "meter-2").slots, slots, strict=True):
        # Its own slots go on with another second; those of the other are waited for.
        assert after == (Slot("meter-2", "meter-3") if before.owner == "meter-2" else before)


def test_who_comes_back_is_a_second() -> None:
    alone = View(2, (Slot("meter-2", None),) * SLOTS)
    assert next_slots(alone, {"meter-1": THERE, "meter-2": THERE}) == (Slot("meter-2", "meter-1"),) * SLOTS


def test_a_new_second_is_the_box_with_least_to_do() -> None:
    slots = next_slots(view_of("meter-1", "meter-2"), {"meter-1": THERE, "meter-2": GONE, "meter-3": THERE})
    # Those of meter-2 that it cannot leave to a box that knows all of them were meter-1's to take.
    assert slots == (Slot("meter-1", "meter-3"),) * SLOTS


def test_a_box_that_nobody_knows_is_gone() -> None:
    assert owners(next_slots(view_of("meter-1", "meter-2"), {"meter-1": THERE})) == {"meter-1"}


@st.composite
def scenes(draw: st.DrawFn) -> tuple[View, Mapping[str, BoxState]]:
    slots = []
    for _ in range(SLOTS):
        owner, second = draw(st.permutations(NAMES))[:2]
        slots.append(Slot(owner, draw(st.sampled_from((second, None)))))
    boxes = {
        name: BoxState(draw(st.booleans()), frozenset(draw(st.sets(st.integers(0, SLOTS - 1)))))
        for name in draw(st.sets(st.sampled_from(NAMES)))
    }
    return View(1, tuple(slots)), boxes


@pytest.mark.clause("M34")
@given(scenes())
def test_whoever_is_there_and_knows_all_owns_and_nobody_else_begins_to(
    scene: tuple[View, Mapping[str, BoxState]],
) -> None:
    view, boxes = scene
    there = {name for name, state in boxes.items() if state.is_there}
    after = next_slots(view, boxes) or view.slots
    assert len(after) == SLOTS
    for number, (old, new) in enumerate(zip(view.slots, after, strict=True)):
        assert new.owner != new.second
        if new.owner != old.owner:
            assert (old.owner not in there, new.owner) == (True, old.second)
            assert new.owner in there
            assert number in boxes[new.owner].complete
        elif old.owner not in there:
            # It is waited for, with the one that may know: so nothing is lost that one of them knows.
            assert new == old
        if new.owner in there:
            # Progress: with a second, if there is a box for it.
            assert (new.second in there) if there - {new.owner} else (new.second is None)
    # Once is enough.
    if after != view.slots:
        known = {name: BoxState(state.is_there) for name, state in boxes.items()}
        assert next_slots(View(2, after), known) is None


class Fleet:
    """Meter boxes that take every view in its order, and seconds that fetch when they are told to."""

    def __init__(self) -> None:
        self.view = view_of(*NAMES)
        self.history = [self.view]
        self.held: dict[str, Held | None] = dict.fromkeys(NAMES)
        self.there = set(NAMES)

    def step(self) -> None:
        """The supervisor's round."""
        for name in self.there:
            held = self.held[name]
            for view in self.history[held.view.number if held is not None else 0 :]:
                self.held[name] = next_held(name, self.held[name], view, b"")
        slots = next_slots(self.view, {name: self.state(name) for name in NAMES})
        if slots is not None:
            self.view = View(self.view.number + 1, slots)
            self.history.append(self.view)

    def fetch(self, name: str) -> None:
        """Of every owner that is there and knows all."""
        held = self.held[name]
        if name not in self.there or held is None:
            return
        for number, slot in enumerate(held.view.slots):
            if slot.second == name and slot.owner in self.there and self.knows(slot.owner, number, held.view):
                held = Held(held.view, b"", held.complete | {number})
        self.held[name] = held

    def knows(self, name: str, slot: int, view: View) -> bool:
        held = self.held[name]
        return held is not None and held.view.number == view.number and slot in held.complete

    def state(self, name: str) -> BoxState:
        held = self.held[name]
        if held is None or held.view.number != self.view.number:
            return BoxState(name in self.there)
        complete = {slot for slot in held.complete if held.view.slots[slot].second == name}
        return BoxState(name in self.there, frozenset(complete))


@pytest.mark.clause("M3", "M34")
@given(st.lists(st.tuples(st.sampled_from(("dies", "comes", "fetches", "looks")), st.sampled_from(NAMES)), max_size=40))
def test_boxes_that_die_and_come_back_lose_no_slot(events: list[tuple[str, str]]) -> None:
    """While no two boxes die at once, somebody who knows all of it answers for every slot in the end."""
    fleet = Fleet()
    fleet.step()
    for event, name in events:
        if event == "dies" and len(fleet.there) == len(NAMES):
            fleet.there.discard(name)
        elif event == "comes":
            fleet.there.add(name)
        elif event == "fetches":
            fleet.fetch(name)
        fleet.step()
        for slot in range(SLOTS):
            # Nobody but the owner of the newest view can have a second that answers.
            answering = [n for n in NAMES if fleet.view.slots[slot].owner == n and fleet.knows(n, slot, fleet.view)]
            assert len(answering) <= 1
    fleet.there = set(NAMES)
    for _ in range(len(NAMES)):
        fleet.step()
        for name in NAMES:
            fleet.fetch(name)
    fleet.step()
    for number, last in enumerate(fleet.view.slots):
        assert fleet.knows(last.owner, number, fleet.view)
        assert last.second is not None
        assert fleet.knows(last.second, number, fleet.view)
