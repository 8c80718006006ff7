"""User records: signed here, and taken only when none newer was seen (M7, M11, M22, M23)."""

from typing import Final, NamedTuple

import msgspec

from fob_office.centre.boxes import codes
from fob_office.centre.boxes.rows import Row
from fob_office.centre.boxes.separation import Purpose
from fob_office.centre.boxes.store import Store
from fob_office.centre.boxes.turns import Turns
from fob_office.centre.boxes.vault import Vault
from fob_office.centre.bus.errors import BusRefusedError
from fob_office.centre.words import Word
from fob_protocol.cose.labels import Label
from fob_protocol.metering.records import UserRecord
from fob_protocol.office.hashing import digest, is_same

_TABLE: Final = "users"


class _Newest(NamedTuple):
    """Counter of the newest record of an account that was shown here, and H of it as it was signed."""

    counter: int
    signed: bytes


class UserRecords:
    """Of one box. A record that was made and never stored counts for nothing: it is noted when it is shown."""

    def __init__(self, vault: Vault, store: Store) -> None:
        self._vault = vault
        self._store = store
        self._turns = Turns()

    async def read(self, signed: bytes, now: int) -> UserRecord:
        """Raises BusRefusedError TAMPERING, EPOCH_ROLLBACK; StoreError, TamperedError."""
        record = self.read_old(signed, now)
        shown = _Newest(record.counter, digest(signed))
        if not self._is_newest(record.account, shown):
            await self._note(record.account, shown)
        return record

    def read_old(self, signed: bytes, now: int) -> UserRecord:
        """Signed by such a box, however long ago. Raises BusRefusedError TAMPERING, EPOCH_ROLLBACK."""
        record = codes.claimed(UserRecord, signed)
        codes.check(self._vault, signed, Label.USER_RECORD, Purpose.USER_RECORD, record.account, record.epoch)
        codes.check_epoch(record.epoch, now)
        return record

    def seen(self, account: bytes) -> int | None:
        """Counter of the newest that was shown here."""
        newest = self._newest(account)
        return None if newest is None else newest.counter

    def sign(self, record: UserRecord) -> bytes:
        """As it goes to the database. Raises BusRefusedError MALFORMED."""
        context = (record.account, record.epoch)
        return codes.sign_checked(self._vault, record, Label.USER_RECORD, Purpose.USER_RECORD, *context)

    def is_known(self, account: bytes) -> bool:
        """Whether one of it was shown here."""
        return self._newest(account) is not None

    async def _note(self, account: bytes, shown: _Newest) -> None:
        async with self._turns.of(account.hex()):
            if not self._is_newest(account, shown):
                await self._store.put_all((Row(_TABLE, account, msgspec.msgpack.encode(shown)),))

    def _is_newest(self, account: bytes, shown: _Newest) -> bool:
        """False: it is newer than any that was shown. Raises BusRefusedError TAMPERING."""
        newest = self._newest(account)
        if newest is None or shown.counter > newest.counter:
            return False
        if shown.counter < newest.counter or not is_same(shown.signed, newest.signed):
            told = f"record {shown.counter} of {account.hex()}, where {newest.counter} is the newest"
            raise BusRefusedError(Word.TAMPERING, told)
        return True

    def _newest(self, account: bytes) -> _Newest | None:
        octets = self._store.get(_TABLE, account)
        return None if octets is None else _DECODER.decode(octets)


_DECODER: Final = msgspec.msgpack.Decoder(_Newest)
