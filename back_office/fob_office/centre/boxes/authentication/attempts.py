"""How often a password may be guessed. Each try is on the disk before it is looked at: a kill gives none back."""

import asyncio
from collections.abc import Callable
from typing import Final

import msgspec

from fob_office.centre.boxes.rows import Row
from fob_office.centre.boxes.store import Store
from fob_office.centre.bus.errors import BusRefusedError
from fob_office.centre.words import Word
from fob_protocol.office.hashing import digest

# Wrong ones in a row before there is a pause: people mistype.
FREE_TRIES: Final = 5
# Seconds of the first pause, doubled with each wrong one up to the longest: an hour is short enough for who forgot.
FIRST_SIGN_ON_PAUSE: Final = 60
LONGEST_SIGN_ON_PAUSE: Final = 3600
_DOUBLINGS: Final = 6

# Names that nobody has share places, so that inventing names fills no disk.
_PLACE_SIZE: Final = 2
_TABLE: Final = "attempts"


class _Tries(msgspec.Struct, frozen=True, array_like=True):
    """Since the last right one; no more before `until`, in seconds since 1970."""

    wrong: int
    until: int


_NONE: Final = _Tries(0, 0)


class Attempts:
    """Of one box; each box counts for itself."""

    def __init__(self, store: Store, clock: Callable[[], int]) -> None:
        self._store = store
        self._clock = clock
        self._turn = asyncio.Lock()

    async def take(self, place: bytes) -> None:
        """One more; it counts as wrong until `clear`. Raises BusRefusedError LOCKED, StoreError, TamperedError."""
        async with self._turn:
            now = self._clock()
            tries = self._tries(place)
            # One that is further away was set by a clock that was wrong.
            if now < tries.until <= now + LONGEST_SIGN_ON_PAUSE:
                raise BusRefusedError(Word.LOCKED, f"too many wrong passwords; wait {tries.until - now} s")
            wrong = min(tries.wrong + 1, FREE_TRIES + _DOUBLINGS)
            await self._put(place, _Tries(wrong, now + _pause(wrong) if wrong >= FREE_TRIES else 0))

    async def clear(self, place: bytes) -> None:
        """The password was right. Raises StoreError, TamperedError."""
        async with self._turn:
            await self._put(place, _NONE)

    def _tries(self, place: bytes) -> _Tries:
        octets = self._store.get(_TABLE, place)
        return msgspec.msgpack.decode(octets, type=_Tries) if octets is not None else _NONE

    async def _put(self, place: bytes, tries: _Tries) -> None:
        await self._store.put_all((Row(_TABLE, place, msgspec.msgpack.encode(tries)),))


def nobodys_place(name: str) -> bytes:
    """Where tries for a name that nobody has are counted; `name` as names are compared."""
    return digest(name.encode())[:_PLACE_SIZE]


def _pause(wrong: int) -> int:
    return min(FIRST_SIGN_ON_PAUSE << (wrong - FREE_TRIES), LONGEST_SIGN_ON_PAUSE)
