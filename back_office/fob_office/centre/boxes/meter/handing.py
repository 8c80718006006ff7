"""A slot is handed over: its owner gives pages of it, and a new second fetches them until it is complete (M34)."""

import asyncio
from itertools import islice
from typing import Final

import structlog

from fob_office.centre.boxes.meter.keeping import ROWS_LIMIT, Peers
from fob_office.centre.boxes.meter.ownership import Ownership
from fob_office.centre.boxes.meter.shelf import Shelf
from fob_office.centre.boxes.meter.standing import mark_of
from fob_office.centre.boxes.meter.taking import TABLES, Taking, rows_of_slot
from fob_office.centre.boxes.rows import Row
from fob_office.centre.boxes.store import StoreError
from fob_office.centre.bus.errors import AwayError, BusRefusedError
from fob_office.centre.bus.passes import Pass
from fob_office.centre.commands.meter import Handed, HandOver, HeldMarks, MarksHeld
from fob_office.centre.limits import LONGEST_LINK_PAUSE, SLOTS
from fob_office.centre.rising import check_rising
from fob_office.centre.words import Word

log = structlog.get_logger(__name__)

_SOON: Final = (Word.OLDER_VIEW, Word.NEWER_VIEW, Word.INCOMPLETE)
# Rows of one page.
_PAGE: Final = 512


class Giving:
    """Of one box, for the slots that it owns; to an operator marks of all that it holds."""

    def __init__(self, store: Shelf, ownership: Ownership) -> None:
        self._store = store
        self._ownership = ownership

    async def hand_over(self, peer: Pass, command: HandOver) -> Handed:
        """Raises BusRefusedError OLDER_VIEW, NEWER_VIEW, INCOMPLETE, MALFORMED."""
        _check_place(command.slot, command.table)
        self._ownership.check_view(command.view)
        self._ownership.check_owner_for(peer.name, command.slot)
        rows: list[Row] = []
        size = 0
        for row in rows_of_slot(self._store, command.slot, command.table, command.after):
            size += len(row.key) + len(row.octets)
            if rows and (size > ROWS_LIMIT or len(rows) == _PAGE):
                break
            if row.octets:
                rows.append(row)
        return Handed(tuple(rows))

    async def held_marks(self, peer: Pass, command: HeldMarks) -> MarksHeld:
        """Whoever owns the slot. Raises BusRefusedError MALFORMED."""
        _check_place(command.slot, command.table)
        rows = rows_of_slot(self._store, command.slot, command.table, command.after)
        marks = ((row.key, mark_of(row.octets)) for row in rows if row.octets)
        return MarksHeld(tuple(islice(marks, _PAGE)))


class Fetching:
    """Of one box, for the slots of which it is second and not complete."""

    def __init__(self, ownership: Ownership, taking: Taking, peers: Peers) -> None:
        self._ownership = ownership
        self._taking = taking
        self._peers = peers
        self._wanted = asyncio.Event()
        # Why the last round did not fetch all.
        self._said: tuple[str, ...] = ()

    async def run(self) -> None:
        """For as long as the box runs; goes on by itself when an owner was away."""
        self._wanted.set()
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            if not await self.fetch_all():
                await asyncio.sleep(LONGEST_LINK_PAUSE)
                self._wanted.set()

    def wake(self) -> None:
        """There is a new view."""
        self._wanted.set()

    async def fetch_all(self) -> bool:
        """Once, all that is lacking. False: an owner was away or did not answer as it should, or the disk did not."""
        left: dict[int, str] = {}
        is_wrong = False
        for slot, owner in self._ownership.lacking():
            try:
                await self._fetch(slot, owner, self._ownership.number)
            except (AwayError, BusRefusedError, StoreError) as error:
                left[slot] = f"{owner}: {error}"
                is_wrong |= not _comes_by_itself(error)
        self._say(left, is_wrong)
        return not left

    def _say(self, left: dict[int, str], is_wrong: bool) -> None:
        """One line for all slots, and not the same one again in the next round."""
        why = tuple(sorted(set(left.values())))
        if why and why != self._said:
            say = log.warning if is_wrong else log.info
            say("slots are not fetched yet", count=len(left), why=why[0])
        self._said = why

    async def _fetch(self, slot: int, owner: str, view: int) -> None:
        for table in TABLES:
            after = bytes([slot])
            while True:
                handed = await self._peers.ask(owner, HandOver(view, slot, table, after))
                rows = [Row(*row) for row in handed.rows]
                if any(row.table != table or row.key[:1] != bytes([slot]) for row in rows):
                    raise BusRefusedError(Word.MALFORMED, "rows that were not asked for")
                check_rising("rows of a slot", after, (row.key for row in rows))
                await self._taking.page(view, slot, table, after, rows)
                if not rows:
                    break
                after = rows[-1].key
        await self._taking.complete(view, slot)


def _check_place(slot: int, table: str) -> None:
    if table not in TABLES or not 0 <= slot < SLOTS:
        raise BusRefusedError(Word.MALFORMED, "no such table or slot")


def _comes_by_itself(error: Exception) -> bool:
    """The owner starts, or one of both has not heard of the newest view: at each start, and after each failover."""
    return isinstance(error, AwayError) or (isinstance(error, BusRefusedError) and error.word in _SOON)
