"""User records: signed here, and taken only when none newer was seen by any box (M7, M11, M22, M23, M34)."""

from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Final, NamedTuple, TypeGuard

import msgspec

from fob_office.centre.boxes import codes
from fob_office.centre.boxes.authentication.others import Others
from fob_office.centre.boxes.rows import Row
from fob_office.centre.boxes.separation import Purpose
from fob_office.centre.boxes.store import Store
from fob_office.centre.boxes.turns import Turns
from fob_office.centre.boxes.vault import Vault
from fob_office.centre.bus.errors import BusRefusedError
from fob_office.centre.commands.authentication import UserSeen
from fob_office.centre.words import Word
from fob_protocol.cose.labels import Label
from fob_protocol.metering.records import UserRecord
from fob_protocol.office.hashing import digest, is_same

_TABLE: Final = "users"


class _Newest(NamedTuple):
    """Of an account; `is_told`: this box has told all others since it was shown, whoever told it."""

    counter: int
    signed: bytes
    is_told: bool = False


class UserRecords:
    """Of one box. A record that was made and never stored counts for nothing: it is noted when it is shown."""

    def __init__(self, vault: Vault, store: Store, others: Others) -> None:
        self._vault = vault
        self._store = store
        self._others = others
        self._turns = Turns()

    async def read(self, signed: bytes) -> UserRecord:
        """The newest, which all other boxes know when this returns.

        Raises BusRefusedError TAMPERING, INCOMPLETE, UNAVAILABLE; StoreError, TamperedError.
        """
        await self._others.ready()
        record = self.read_old(signed)
        shown = UserSeen(record.account, record.counter, digest(signed))
        newest = self._newest(record.account)
        if not _is_newest(newest, shown) or not newest.is_told:
            await self._note(shown)
            await self._others.tell(shown)
            await self._note(shown, is_told=True)
        return record

    def read_old(self, signed: bytes) -> UserRecord:
        """Signed by such a box, however long ago. Raises BusRefusedError TAMPERING."""
        record = codes.claimed(UserRecord, signed)
        codes.check(self._vault, signed, Label.USER_RECORD, Purpose.USER_RECORD, record.account, record.epoch)
        return record

    async def seen(self, account: bytes) -> int | None:
        """Counter of the newest that was shown to any box; none: no record of it was.

        Raises BusRefusedError INCOMPLETE.
        """
        await self._others.ready()
        newest = self._newest(account)
        return None if newest is None else newest.counter

    def after(self, account: bytes, most: int) -> tuple[UserSeen, ...]:
        """A page of what is known here, for another box."""
        rows = self._store.after(_TABLE, account, most)
        return tuple(_seen(row.key, _DECODER.decode(row.octets)) for row in rows)

    async def hear(self, seen: UserSeen) -> None:
        """What another box was shown. Raises BusRefusedError NEWER_STANDING; StoreError, TamperedError."""
        try:
            await self._note(seen)
        except BusRefusedError as refused:
            raise BusRefusedError(Word.NEWER_STANDING, refused.why) from None

    async def learn(self, users: Sequence[UserSeen]) -> None:
        """A page of what another box knows, in order, each account once; what is newer here stays.

        Raises StoreError, TamperedError.
        """
        async with AsyncExitStack() as turns:
            for one in users:
                await turns.enter_async_context(self._turns.of(one.account.hex()))
            newer = [one for one in users if one.counter > self._counter(one.account)]
            if newer:
                await self._store.put_all(_row(one, is_told=False) for one in newer)

    def sign(self, record: UserRecord) -> bytes:
        """As it goes to the database. Raises BusRefusedError MALFORMED."""
        context = (record.account, record.epoch)
        return codes.sign_checked(self._vault, record, Label.USER_RECORD, Purpose.USER_RECORD, *context)

    async def _note(self, shown: UserSeen, *, is_told: bool = False) -> None:
        """Raises BusRefusedError TAMPERING."""
        async with self._turns.of(shown.account.hex()):
            newest = self._newest(shown.account)
            if not _is_newest(newest, shown) or (is_told and not newest.is_told):
                await self._store.put_all((_row(shown, is_told=is_told),))

    def _counter(self, account: bytes) -> int:
        newest = self._newest(account)
        return 0 if newest is None else newest.counter

    def _newest(self, account: bytes) -> _Newest | None:
        octets = self._store.get(_TABLE, account)
        return None if octets is None else _DECODER.decode(octets)


_DECODER: Final = msgspec.msgpack.Decoder(_Newest)


def _is_newest(newest: _Newest | None, shown: UserSeen) -> TypeGuard[_Newest]:
    """False: it is newer than any that is known. Raises BusRefusedError TAMPERING."""
    if newest is None or shown.counter > newest.counter:
        return False
    if shown.counter < newest.counter or not is_same(shown.signed, newest.signed):
        told = f"record {shown.counter} of {shown.account.hex()}, where {newest.counter} is the newest"
        raise BusRefusedError(Word.TAMPERING, told)
    return True


def _row(seen: UserSeen, *, is_told: bool) -> Row:
    return Row(_TABLE, seen.account, msgspec.msgpack.encode(_Newest(seen.counter, seen.signed, is_told)))


def _seen(account: bytes, newest: _Newest) -> UserSeen:
    return UserSeen(account, newest.counter, newest.signed)
