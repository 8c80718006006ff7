"""Which meters this box answers for: the view that it holds, and of which slots it knows all standings (M34).

A box that owns a slot, or is its second, is *complete* in it when it holds every standing of it. So is the owner in the
first view of all, when there are no meters. It stays so from one view to the next, by their numbers, as owner that was
owner or complete second, and as second of an owner that stays. In a view that is not the next one nothing is sure: who
knows what an owner in between did? Such a box waits until an operator names the one that knows as owner, and then
learns all as its second.
"""

from dataclasses import dataclass
from typing import Final

import msgspec

from fob_office.centre.boxes.meter.shelf import Shelf
from fob_office.centre.boxes.rows import Row
from fob_office.centre.boxes.views import Slot, View, read_view, slot_of
from fob_office.centre.bus.errors import BusRefusedError
from fob_office.centre.limits import SLOTS
from fob_office.centre.words import Word
from fob_protocol.office.errors import OfficeError

TABLE: Final = "view"
_KEY: Final = b""
_FIRST: Final = 1


class _Kept(msgspec.Struct, frozen=True, array_like=True):
    """As it stands in the store."""

    signed: bytes
    complete: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Held:
    """A view as it was signed, and the slots of this box in which it is complete."""

    view: View
    signed: bytes
    complete: frozenset[int]


def next_held(me: str, held: Held | None, view: View, signed: bytes) -> Held:
    """What follows from a newer view."""
    is_next = held is not None and view.number == held.view.number + 1
    complete = set()
    for number, slot in enumerate(view.slots):
        if held is None:
            knows_all = view.number == _FIRST and slot.owner == me
        else:
            knows_all = is_next and number in held.complete and _stays(me, held.view.slots[number], slot)
        if knows_all:
            complete.add(number)
    return Held(view, signed, frozenset(complete))


def _stays(me: str, before: Slot, after: Slot) -> bool:
    """Whether who was complete before is so after."""
    return after.owner == me or (after.second == me and before.owner == after.owner)


class Ownership:
    """Of one box, durable in its store."""

    def __init__(self, me: str, manufacturing: bytes, store: Shelf) -> None:
        self.me = me
        self._manufacturing = manufacturing
        self._store = store
        self._held = self._load()

    @property
    def number(self) -> int:
        """Of the view; 0 without one."""
        return self._held.view.number if self._held is not None else 0

    @property
    def signed(self) -> bytes | None:
        """The view as it was signed."""
        return self._held.signed if self._held is not None else None

    def own(self, serial: str) -> None:
        """Raises BusRefusedError MOVED, INCOMPLETE."""
        slot = slot_of(serial)
        held = self._held
        if held is None or held.view.slots[slot].owner != self.me:
            raise BusRefusedError(Word.MOVED, f"{self.me} does not own {serial}")
        if slot not in held.complete:
            raise BusRefusedError(Word.INCOMPLETE, f"{self.me} does not know all of slot {slot}")

    def second_of(self, serial: str) -> str | None:
        """Of a meter that this box owns. Raises BusRefusedError MOVED, INCOMPLETE."""
        self.own(serial)
        return self._slot(slot_of(serial)).second

    def owner_of(self, slot: int) -> str:
        """As the view says. Raises BusRefusedError MOVED: there is none."""
        return self._slot(slot).owner

    def check_view(self, number: int) -> None:
        """Whether another box holds the same view. Raises BusRefusedError OLDER_VIEW, NEWER_VIEW."""
        if number != self.number:
            word = Word.OLDER_VIEW if number < self.number else Word.NEWER_VIEW
            raise BusRefusedError(word, f"this box holds view {self.number}")

    def check_second_of(self, owner: str, slot: int) -> None:
        """Whether this box is the second of that one. Raises BusRefusedError OLDER_VIEW."""
        if self._slot(slot) != Slot(owner, self.me):
            raise BusRefusedError(Word.OLDER_VIEW, f"{self.me} is not the second of {owner} in slot {slot}")

    def check_owner_for(self, second: str, slot: int) -> None:
        """Whether that box is the second of this one, which is complete.

        Raises BusRefusedError OLDER_VIEW, INCOMPLETE.
        """
        if self._slot(slot) != Slot(self.me, second):
            raise BusRefusedError(Word.OLDER_VIEW, f"{second} is not the second of {self.me} in slot {slot}")
        if self._lacks(slot):
            raise BusRefusedError(Word.INCOMPLETE, f"{self.me} does not know all of slot {slot}")

    def seconded(self) -> tuple[int, ...]:
        """Slots of which this box is second and holds all."""
        return tuple(slot for slot in range(SLOTS) if self.is_complete_second(slot))

    def is_complete_second(self, slot: int) -> bool:
        """Whether this box is second of a slot and holds all of it."""
        held = self._held
        return held is not None and held.view.slots[slot].second == self.me and slot in held.complete

    def lacking(self) -> tuple[tuple[int, str], ...]:
        """Slots, with their owners, that this box has yet to fetch as their second."""
        if self._held is None:
            return ()
        slots = enumerate(self._held.view.slots)
        return tuple((number, slot.owner) for number, slot in slots if slot.second == self.me and self._lacks(number))

    async def take(self, signed: bytes) -> bool:
        """A view; whether it is another than the one held. Raises BusRefusedError OLDER_VIEW, TAMPERING."""
        try:
            view = read_view(self._manufacturing, signed)
        except OfficeError as error:
            raise BusRefusedError(Word.TAMPERING, f"no view of this data centre: {error}") from None
        if signed == self.signed:
            return False
        if view.number <= self.number:
            raise BusRefusedError(Word.OLDER_VIEW, f"this box holds view {self.number}")
        await self._keep(next_held(self.me, self._held, view, signed))
        return True

    async def complete(self, slot: int) -> None:
        """All of it was fetched from the owner in the view that is held."""
        held = self._held
        if held is None:
            raise ValueError("without a view there is nothing to be complete in")
        await self._keep(Held(held.view, held.signed, held.complete | {slot}))

    async def _keep(self, held: Held) -> None:
        """In force at once: nothing is done any more by the one before."""
        self._held = held
        kept = _Kept(held.signed, tuple(sorted(held.complete)))
        await self._store.put_all((Row(TABLE, _KEY, msgspec.msgpack.encode(kept)),))

    def _load(self) -> Held | None:
        octets = self._store.get(TABLE, _KEY)
        if octets is None:
            return None
        kept = msgspec.msgpack.decode(octets, type=_Kept)
        return Held(read_view(self._manufacturing, kept.signed), kept.signed, frozenset(kept.complete))

    def _lacks(self, slot: int) -> bool:
        return self._held is None or slot not in self._held.complete

    def _slot(self, slot: int) -> Slot:
        if self._held is None:
            raise BusRefusedError(Word.MOVED, f"{self.me} has no view yet")
        return self._held.view.slots[slot]
