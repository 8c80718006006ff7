"""Slots are moved from boxes that are gone, and spread over those that there are: each time by a new view (M3, M34)."""

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path

import structlog

from fob_office.centre.boxes.views import Slot, View
from fob_office.centre.bus.asking import Links
from fob_office.centre.bus.errors import AwayError, BusRefusedError
from fob_office.centre.commands.manufacturing import NextView
from fob_office.centre.places import MANUFACTURING
from fob_office.centre.supervising.balancing import balanced_slots, is_settled
from fob_office.centre.supervising.history import History
from fob_office.centre.supervising.limits import BALANCE_TIME, LOOK_TIME
from fob_office.centre.supervising.policy import BoxState, next_slots
from fob_office.centre.supervising.wish import fulfil, is_wished

log = structlog.get_logger(__name__)


class Moving:
    """`no_view`: why the manufacturing box makes no view that is wanted. `failovers`: views with another owner."""

    def __init__(self, centre: Path, links: Links, history: History, put_back: Callable[[str], None]) -> None:
        """`put_back` hears what the manufacturing box had forgotten, empty as a rule."""
        self._centre = centre
        self._links = links
        self._history = history
        self._put_back = put_back
        self.no_view = ""
        self.failovers = 0
        self._is_waited_for = False
        # Since when all slots are on two disks, and whether they are being spread over the boxes.
        self._settled_since: float | None = None
        self._is_balancing = False

    @property
    def is_stuck(self) -> bool:
        """Slots wait for a view that nobody makes."""
        return bool(self.no_view) and self._is_waited_for

    async def look(self, newest: View, boxes: Mapping[str, BoxState], passes: Mapping[str, bytes]) -> bool:
        """Whether there is a new view; `passes` of those who may own slots, by name. Raises OSError."""
        slots = next_slots(newest, boxes)
        self._is_waited_for = slots is not None
        if slots is not None:
            is_failover = any(new.owner != old.owner for new, old in zip(slots, newest.slots, strict=True))
            is_made = await self._make(newest, slots, passes)
            self.failovers += is_made and is_failover
            return is_made
        if (slots := self._balanced(newest, boxes)) is not None:
            return await self._make(newest, slots, passes)
        self.no_view = ""
        return False

    def _balanced(self, newest: View, boxes: Mapping[str, BoxState]) -> tuple[Slot, ...] | None:
        """Slots that are spread evenly again, when it is time for that. Raises OSError."""
        now = asyncio.get_running_loop().time()
        if not is_settled(newest, boxes):
            self._settled_since = None
            return None
        if self._settled_since is None:
            self._settled_since = now
        slots = balanced_slots(newest, boxes)
        if slots is None:
            self._is_balancing = False
            fulfil(self._centre)
            return None
        # Once begun, each next view is made as soon as all know the one before.
        self._is_balancing |= is_wished(self._centre) or now - self._settled_since >= BALANCE_TIME
        return slots if self._is_balancing else None

    async def _make(self, newest: View, slots: tuple[Slot, ...], passes: Mapping[str, bytes]) -> bool:
        named = {name for slot in slots for name in (slot.owner, slot.second)}
        shown = tuple(signed for name, signed in passes.items() if name in named)
        places = tuple((slot.owner, slot.second) for slot in slots)
        asked = NextView(newest.number, places, self._history.newest_signed, shown)
        try:
            made = await self._links.to(MANUFACTURING).ask(asked, LOOK_TIME)
        except (AwayError, BusRefusedError) as error:
            self._lacks(str(error))
            return False
        self.no_view, self._is_waited_for = "", False
        self._put_back(made.forgotten)
        view = self._history.add(made.view)
        log.warning("a new view", number=view.number, owners=sorted({slot.owner for slot in view.slots}))
        return True

    def _lacks(self, why: str) -> None:
        """It is asked for again at each look."""
        if why != self.no_view:
            log.error("no new view", why=why)
        self.no_view = why
