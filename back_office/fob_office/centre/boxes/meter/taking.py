"""What a second takes of an owner: rows told one by one (Keep), and pages of a slot that it fetches (HandOver).

Both may come at once, and no row may go back. A second asks for pages only in the view that owner and it hold, and each
shows what the owner had on its disk when it was asked. Whatever the owner wrote later it tells: a transaction looks for
its second after its own write. So a page is right but for the rows that were told since; those are remembered and not
overwritten. After a restart nothing is remembered, and the pages are asked for from the beginning.

A second that is complete has all it has from the owner. A row that is not newer than its own comes from an owner that
was put back: `newer-standing`. A second that is not complete may have been the owner before, and died when a standing
was here and not yet at its second. Nobody was answered, so this one standing, of an older view, gives way to what the
owner says, and so do rows that the owner has never seen. One that is ahead by more was answered: the owner was put
back. Of such a meter this box keeps all that it has, and is complete with it: so it can take the owner's place.
"""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Final

import structlog

from fob_office.centre.boxes.meter.ownership import Ownership
from fob_office.centre.boxes.meter.points import CrashPoint, Reached
from fob_office.centre.boxes.meter.shelf import Shelf
from fob_office.centre.boxes.meter.standing import CREDITS, STANDINGS, rank_of, standing_of_credit
from fob_office.centre.boxes.rows import Row
from fob_office.centre.bus.commands import Done
from fob_office.centre.bus.errors import BusRefusedError
from fob_office.centre.bus.passes import Pass
from fob_office.centre.commands.meter import HeldView, Keep, TakeView, ViewHeld
from fob_office.centre.next_step import with_next
from fob_office.centre.words import Word

log = structlog.get_logger(__name__)

# In this order: what was given back stays where the standing does.
TABLES: Final = (STANDINGS, CREDITS)
# Rows of the store that are looked at in one go.
_MANY: Final = 256


def follows(kept: bytes | None, told: bytes | None) -> bool:
    """Whether a complete second takes a standing, or that there is none, in place of the one that it has."""
    if not kept or kept == told:
        return True
    return rank_of(told).counter > rank_of(kept).counter if told else False


def gives_way(kept: bytes | None, told: bytes | None, view: int) -> bool:
    """Whether a second that is not complete takes what the owner has, or has not, in place of its own."""
    if not kept or kept == told:
        return True
    mine, theirs = rank_of(kept), rank_of(told).counter if told else 0
    return theirs > mine.counter or (mine.view < view and theirs + 1 >= mine.counter)


def put_back_words(owner: str, told: str) -> str:
    """For people. `told`: what its second refused with; `box remove` looks whether it is the right one."""
    return with_next(f"{owner} was put back to an older folder: its second {told}", f"box remove {owner}")


class Taking:
    """Of one box, for the slots of which it is second."""

    def __init__(self, store: Shelf, ownership: Ownership, reached: Reached) -> None:
        self._store = store
        self._ownership = ownership
        self._reached = reached
        # One thing at a time is taken: what one looked at, no other has changed when it is written.
        self._lock = asyncio.Lock()
        # Told in this view, of slots that are not complete.
        self._told: set[tuple[str, bytes]] = set()
        # Keys of standings, of slots that are not complete: of these meters the owner knows less.
        self._ahead: set[bytes] = set()

    async def take_view(self, peer: Pass, command: TakeView) -> bool:
        """Whether it is a new one. What was being taken is on the disk before it is in force."""
        async with self._lock:
            is_new = await self._ownership.take(command.view)
            if is_new:
                self._told.clear()
                self._ahead.clear()
            return is_new

    async def held_view(self, peer: Pass, command: HeldView) -> ViewHeld:
        """As far as it is on the disk."""
        async with self._lock:
            return ViewHeld(self._ownership.signed, self._ownership.seconded())

    async def keep(self, peer: Pass, command: Keep) -> Done:
        """All rows or none. Raises BusRefusedError OLDER_VIEW, NEWER_VIEW, NEWER_STANDING, MALFORMED."""
        async with self._lock:
            self._ownership.check_view(command.view)
            rows = [Row(*row) for row in command.rows]
            for row in rows:
                self._check(peer.name, row, command.view)
            # That there is no standing takes the place of one, and else no room.
            rows = [row for row in rows if row.octets or self._store.get(row.table, row.key)]
            if rows:
                await self._store.put_all(rows)
                is_complete = self._ownership.is_complete_second
                self._told.update((row.table, row.key) for row in rows if not is_complete(row.key[0]))
        self._reached(CrashPoint.E_AT_SECOND)
        return Done()

    async def page(self, view: int, slot: int, table: str, after: bytes, rows: Sequence[Row]) -> None:
        """What the owner has of a table above a key, in order; no rows: nothing more.

        Raises BusRefusedError as `keep` does.
        """
        async with self._lock:
            self._ownership.check_view(view)
            theirs = {row.key: row.octets for row in rows}
            mine = self._mine(slot, table, after, rows)
            new = []
            for key in sorted(theirs.keys() | mine.keys()):
                octets, kept = theirs.get(key), mine.get(key)
                if (table, key) in self._told or kept == octets or self._is_ahead(table, key, kept, octets):
                    continue
                # A row is never deleted: one without octets is none.
                new.append(Row(table, key, octets or b""))
            if new:
                await self._store.put_all(new)

    async def complete(self, view: int, slot: int) -> None:
        """The last page has come."""
        async with self._lock:
            self._ownership.check_view(view)
            await self._ownership.complete(slot)
            self._told = {told for told in self._told if told[1][0] != slot}
            self._ahead = {key for key in self._ahead if key[0] != slot}

    def _check(self, owner: str, row: Row, view: int) -> None:
        if row.table not in TABLES or not row.key:
            raise BusRefusedError(Word.MALFORMED, f"no row of a second: {row.table}")
        slot = row.key[0]
        self._ownership.check_second_of(owner, slot)
        if row.table != STANDINGS:
            return
        kept = self._store.get(row.table, row.key)
        is_strict = self._ownership.is_complete_second(slot) or (row.table, row.key) in self._told
        if not (follows(kept, row.octets) if is_strict else gives_way(kept, row.octets, view)):
            raise self._knows_more(row.key, kept, owner, row.octets)

    def _is_ahead(self, table: str, key: bytes, kept: bytes | None, theirs: bytes | None) -> bool:
        """Whether a row stays as this box has it, since its owner was put back."""
        if table == CREDITS:
            return kept is not None and standing_of_credit(key) in self._ahead
        if gives_way(kept, theirs, self._ownership.number):
            return False
        self._ahead.add(key)
        owner = self._ownership.owner_of(key[0])
        told = self._knows_more(key, kept, owner, theirs).why
        log.critical("an owner was put back", why=put_back_words(owner, told), clause="M22")
        return True

    def _knows_more(self, key: bytes, kept: bytes | None, owner: str, told: bytes | None) -> BusRefusedError:
        mine, theirs = (rank_of(octets).counter if octets else 0 for octets in (kept, told))
        why = f"{self._ownership.me} holds record {mine} of {key[1:].decode()}, where {owner} has {theirs or 'none'}"
        return BusRefusedError(Word.NEWER_STANDING, why)

    def _mine(self, slot: int, table: str, after: bytes, theirs: Sequence[Row]) -> dict[bytes, bytes]:
        """As far as a page goes: of a large slot the rest is read with the pages that it is in."""
        mine = {}
        for row in rows_of_slot(self._store, slot, table, after, len(theirs) + 1 if theirs else _MANY):
            if theirs and row.key > theirs[-1].key:
                break
            if row.octets:
                mine[row.key] = row.octets
        return mine


def rows_of_slot(store: Shelf, slot: int, table: str, after: bytes, at_once: int = _MANY) -> Iterable[Row]:
    """Above a key, in their order; so many are read at once."""
    last = max(after, bytes([slot]))
    while found := store.after(table, last, at_once):
        for row in found:
            if row.key[0] != slot:
                return
            yield row
        last = found[-1].key
