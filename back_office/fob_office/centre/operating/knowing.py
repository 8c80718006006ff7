"""Whether the other meter boxes know all that one of them knows: before it is removed (M22, M34).

A box whose folder was put back as a whole finds that out when it tells its second, or never: as a second itself it
takes what it is told, and lacks the rest. If the box beside it were removed then, old records would be the newest that
anybody knows. So every standing, and every indicium that was given back, is compared; what an owner was cut off before
telling it tells now.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from fob_office.centre.boxes.meter.standing import CREDITS, STANDINGS, standing_of_credit
from fob_office.centre.boxes.meter.taking import follows, gives_way
from fob_office.centre.boxes.views import Slot, View
from fob_office.centre.commands.meter import HeldMarks, HeldView, LastChange
from fob_office.centre.operating.recovering import Asking
from fob_office.centre.rising import check_rising

# Whether whoever holds the second mark, or nothing, knows what the first one says.
_Knows = Callable[[bytes, bytes | None], bool]

# As a second that knows all judges its owner, by table.
_STRICT: Final[Mapping[str, _Knows]] = {
    STANDINGS: follows,
    CREDITS: lambda mine, theirs: theirs is not None,
}


class PutBack(NamedTuple):
    """A box that lacks what it once knew of a meter, and another one that knows it."""

    box: str
    serial: str
    knows: str

    @property
    def why(self) -> str:
        """For people."""
        return f"{self.knows} knows more of meter {self.serial} than {self.box}, which was put back to an older folder"


async def put_back_beside(operator: Asking, name: str, view: View) -> PutBack | None:
    """Who would answer for a meter without this box, and does not know all that it knows of it.

    Raises BusRefusedError, AwayError.
    """
    if not any(name in (slot.owner, slot.second) for slot in view.slots):
        return None
    complete = (await operator.one(name, HeldView())).complete
    for number, slot in enumerate(view.slots):
        pair = _pair(operator, name, number, slot)
        if pair is None:
            continue
        rules = _STRICT if pair.is_owner or number in complete else _lenient(view.number)
        for table, knows in rules.items():
            serial = await pair.unknown(table, knows)
            if serial is not None:
                return PutBack(pair.heir, serial, name)
    return None


def _lenient(view: int) -> Mapping[str, _Knows]:
    """As a second that does not know all: it may hold what nobody was answered."""
    return {STANDINGS: lambda mine, theirs: gives_way(mine, theirs, view)}


def _pair(operator: Asking, name: str, number: int, slot: Slot) -> "_Pair | None":
    if name == slot.owner and slot.second is not None:
        return _Pair(operator, number, name, slot.second, is_owner=True)
    if name == slot.second:
        return _Pair(operator, number, name, slot.owner, is_owner=False)
    return None


@dataclass(frozen=True, slots=True)
class _Pair:
    """Of one slot: the box that leaves, and the one that answers for it then."""

    operator: Asking
    slot: int
    leaving: str
    heir: str
    is_owner: bool

    async def unknown(self, table: str, knows: _Knows) -> str | None:
        """A meter of which the heir does not know all. What is done meanwhile it is told before it is answered."""
        mine = await self._marks(self.leaving, table)
        left = await self._left(mine, table, knows)
        if left and self.is_owner:
            # Cut off before it told its second, it tells when it is asked about the meter.
            for serial in {_serial_of(key) for key in left}:
                await self.operator.one(self.leaving, LastChange(serial))
            left = await self._left(left, table, knows)
        return _serial_of(min(left)) if left else None

    async def _left(self, mine: Mapping[bytes, bytes], table: str, knows: _Knows) -> dict[bytes, bytes]:
        if not mine:
            return {}
        theirs = await self._marks(self.heir, table)
        return {key: mark for key, mark in mine.items() if not knows(mark, theirs.get(key))}

    async def _marks(self, name: str, table: str) -> dict[bytes, bytes]:
        found: dict[bytes, bytes] = {}
        after = b""
        while page := (await self.operator.one(name, HeldMarks(self.slot, table, after))).marks:
            check_rising(f"marks of {name}", after, (key for key, _ in page))
            found.update(page)
            after = page[-1][0]
        return found


def _serial_of(key: bytes) -> str:
    """Of a standing, or of an indicium that was given back."""
    return standing_of_credit(key)[1:].decode()
