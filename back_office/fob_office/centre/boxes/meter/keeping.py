"""Step e at the owner: a standing is durable here, and then at the second (M33, M34).

Transactions at once share one commit and one message. What the second was not heard to have taken is *untold*, and told
at the next command for its meter. So is what another run of the process wrote, or the owner before this one: nobody
knows whether it was told.
"""

from collections import OrderedDict
from collections.abc import Sequence
from typing import Final, NamedTuple, Protocol, TypeVar

from fob_office.centre.boxes.meter.grouping import Grouped
from fob_office.centre.boxes.meter.ownership import Ownership
from fob_office.centre.boxes.meter.points import CrashPoint, Reached
from fob_office.centre.boxes.meter.shelf import Shelf
from fob_office.centre.boxes.meter.standing import STANDINGS, read_standing, rows_of, run_of, standing_key
from fob_office.centre.boxes.meter.taking import put_back_words
from fob_office.centre.boxes.rows import Row
from fob_office.centre.bus.commands import Command, Reply
from fob_office.centre.bus.errors import AwayError, BusRefusedError
from fob_office.centre.commands.meter import Keep, TakeView
from fob_office.centre.limits import FRAME_LIMIT, IN_HAND
from fob_office.centre.words import Word

ReplyT = TypeVar("ReplyT", bound=Reply)

# Meters that were looked at and not changed since the process began: one that is forgotten is told once more.
RETOLD_LIMIT: Final = 10_000
# Octets of rows in one message: the rest of a frame is for what stands around them.
ROWS_LIMIT: Final = FRAME_LIMIT - 20_000


class Peers(Protocol):
    """The other meter boxes."""

    async def ask(self, name: str, command: Command[ReplyT]) -> ReplyT:
        """Raises AwayError, BusRefusedError."""


class Told(NamedTuple):
    """Rows of one meter, which belong together; none: only whether the second still is one."""

    serial: str
    rows: tuple[Row, ...]

    @property
    def size(self) -> int:
        """In octets."""
        return sum(len(row.key) + len(row.octets) for row in self.rows)


class Keeper:
    """Of one box, for the meters that it owns. Every method raises BusRefusedError MOVED, INCOMPLETE.

    `run`: octets that no other run of a box's process has.
    """

    def __init__(self, store: Shelf, ownership: Ownership, peers: Peers, run: bytes, reached: Reached) -> None:
        self.run = run
        # A second said so, in this run of the process.
        self.was_put_back = False
        self._store = store
        self._ownership = ownership
        self._peers = peers
        self._reached = reached
        self._seconds: dict[str, _Second] = {}
        # Written here, and not heard to be at the second. Bounded by what is in hand when a second goes away.
        self._untold: set[str] = set()
        # Of earlier runs, told again in this one.
        self._retold: OrderedDict[str, None] = OrderedDict()

    @property
    def view(self) -> int:
        """The number that standings made now have."""
        return self._ownership.number

    async def ready(self, serial: str) -> None:
        """Before a meter is looked at: the second has its standing, and was not away when it was last asked.

        Raises BusRefusedError ALONE, TAMPERING.
        """
        second = self._ownership.second_of(serial)
        octets = self._store.get(STANDINGS, standing_key(serial))
        if octets and not self._is_told(serial, octets):
            await self._tell(Told(serial, rows_of(serial, read_standing(octets))))
            self._remember(serial)
        elif second is not None and self._second(second).is_away:
            await self._tell(Told(serial, ()))
        self._ownership.own(serial)

    async def keep(self, serial: str, rows: tuple[Row, ...]) -> None:
        """On both disks when this returns. Raises BusRefusedError ALONE, TAMPERING; StoreError."""
        self._ownership.own(serial)
        self._untold.add(serial)
        # Ordered before anything else can happen: what a newer view brings is written after it.
        await self._store.put_all(rows)
        self._reached(CrashPoint.E_HERE)
        await self._tell(Told(serial, rows))
        self._untold.discard(serial)
        self._retold.pop(serial, None)

    async def confirm(self, serial: str) -> None:
        """This box owns the meter still: its second says so. Raises BusRefusedError ALONE."""
        await self._tell(Told(serial, ()))

    async def confirm_unseen(self, serial: str) -> None:
        """Nor has its second a standing of this meter. Raises BusRefusedError ALONE, TAMPERING."""
        await self._tell(Told(serial, (Row(STANDINGS, standing_key(serial), b""),)))

    def _is_told(self, serial: str, octets: bytes) -> bool:
        if serial in self._untold:
            return False
        return serial in self._retold or run_of(octets) == self.run

    def _remember(self, serial: str) -> None:
        self._untold.discard(serial)
        self._retold[serial] = None
        if len(self._retold) > RETOLD_LIMIT:
            self._retold.popitem(last=False)

    async def _tell(self, told: Told) -> None:
        second = self._ownership.second_of(told.serial)
        if second is None:
            return
        try:
            await self._second(second).tell(told)
        except BusRefusedError as refused:
            self.was_put_back |= refused.word == Word.TAMPERING
            raise

    def _second(self, name: str) -> "_Second":
        second = self._seconds.get(name)
        if second is None:
            second = self._seconds[name] = _Second(name, self._ownership, self._peers)
        return second


class _Second:
    """One second of this box, which is asked once for all that wait."""

    def __init__(self, name: str, ownership: Ownership, peers: Peers) -> None:
        self._name = name
        self._ownership = ownership
        self._peers = peers
        self._grouped = Grouped(self._send, IN_HAND)
        self.is_away = False

    async def tell(self, told: Told) -> None:
        """Raises BusRefusedError ALONE, MOVED, TAMPERING."""
        try:
            try:
                await self._grouped.do(told)
            except BusRefusedError as refused:
                if refused.word != Word.NEWER_STANDING:
                    raise
                # Perhaps that was about another meter.
                await self._send([told])
        except AwayError as away:
            self.is_away = True
            raise BusRefusedError(Word.ALONE, f"the second: {away}") from None
        except BusRefusedError as refused:
            raise _at_owner(self._ownership.me, refused) from None
        self.is_away = False

    async def _send(self, group: Sequence[Told]) -> None:
        for rows in _messages(group):
            try:
                await self._peers.ask(self._name, Keep(self._ownership.number, rows))
            except BusRefusedError as refused:
                if refused.word != Word.NEWER_VIEW or self._ownership.signed is None:
                    raise
                # It has not heard of this view yet.
                await self._peers.ask(self._name, TakeView(self._ownership.signed))
                await self._peers.ask(self._name, Keep(self._ownership.number, rows))


def _at_owner(me: str, refused: BusRefusedError) -> BusRefusedError:
    """What the second's refusal is to who asked for the change."""
    if refused.word == Word.OLDER_VIEW:
        return BusRefusedError(Word.MOVED, "the second knows of a newer view")
    if refused.word == Word.NEWER_STANDING:
        return BusRefusedError(Word.TAMPERING, put_back_words(me, refused.why))
    return BusRefusedError(Word.ALONE, f"the second: {refused}")


def _messages(group: Sequence[Told]) -> list[tuple[Row, ...]]:
    """Rows that fit into a frame; those of one meter stay together."""
    messages: list[tuple[Row, ...]] = []
    rows: tuple[Row, ...] = ()
    size = 0
    for told in group:
        if rows and size + told.size > ROWS_LIMIT:
            messages.append(rows)
            rows, size = (), 0
        rows += told.rows
        size += told.size
    return [*messages, rows]
