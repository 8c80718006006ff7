"""Which number stands for which caller, and whether the device knows what it means (docs/protocol.md, section 4.1)."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from fob_protocol.at.values import Values
from fob_protocol.caller import CALLERS_LIMIT, Caller


@dataclass(frozen=True, slots=True)
class Naming:
    """How one request names its caller: not at all, by a number that the device knows, or with its block."""

    caller: Caller | None = None
    number: int | None = None
    is_known: bool = False
    boot: bytes | None = None

    @property
    def values(self) -> Values:
        """Caller and caller block."""
        return (self.number, None) if self.is_known else self.full

    @property
    def full(self) -> Values:
        """Caller and caller block, whatever the device knows."""
        return (None, None) if self.caller is None else (self.number, self.caller.to_block())


NOBODY = Naming()


class CallerNumbers:
    """The numbers of one device, the lowest first; the one that was used longest ago is given away when all are taken.

    A number keeps its meaning while a request with it is under way: one that is sent again, late, would otherwise speak
    for another caller. Numbers keep their meaning over a restart of the device too, for the same reason; it only has to
    be told again.
    """

    def __init__(self, limit: int = CALLERS_LIMIT) -> None:
        self._limit = limit
        # The one that was used longest ago first.
        self._numbers: dict[Caller, int] = {}
        self._under_way: Counter[int] = Counter()
        self._boot: bytes | None = None
        self._told: set[int] = set()

    @contextmanager
    def using(self, caller: Caller | None, boot: bytes | None) -> Iterator[Naming]:
        """How to name `caller` in the one request of the `with` block; `boot` is the device's, None while it is away.

        NOBODY for None, and when all numbers speak for others at this moment.
        """
        number = None if caller is None else self._take(caller)
        if number is None:
            yield NOBODY
            return
        if boot is not None and boot != self._boot:
            self._boot = boot
            self._told.clear()
        self._under_way[number] += 1
        try:
            yield Naming(caller, number, boot is not None and number in self._told, boot)
        finally:
            self._under_way[number] -= 1

    def answered(self, naming: Naming) -> None:
        """The device took a request with the block, or knew the number without it."""
        if naming.number is not None and naming.boot is not None and naming.boot == self._boot:
            self._told.add(naming.number)

    def _take(self, caller: Caller) -> int | None:
        number = self._numbers.pop(caller, None)
        if number is None:
            number = len(self._numbers) if len(self._numbers) < self._limit else self._give_away()
        if number is not None:
            self._numbers[caller] = number
        return number

    def _give_away(self) -> int | None:
        for caller, number in self._numbers.items():
            if not self._under_way[number]:
                del self._numbers[caller]
                self._told.discard(number)
                return number
        return None
