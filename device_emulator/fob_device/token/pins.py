"""PINs: how many tries are left, and the master key behind each."""

import sqlite3
from collections.abc import Mapping
from typing import Final

from fob_device.history.journal import NO_JOURNAL, Journal
from fob_device.store.database import Database
from fob_device.store.errors import TokenFileError
from fob_device.store.pin_rows import PinRow
from fob_device.token import limits
from fob_device.token.device_root import DeviceRoot
from fob_device.token.kdf import SALT_SIZE, KdfCost
from fob_device.token.pin_records import PIN_OWNERS, load_record, sealed, store_tries
from fob_device.token.sealing import SealBrokenError, seal, unseal
from fob_protocol.history.entry import Entry, Kind
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.constants import Cku
from fob_protocol.pkcs11.errors import CkrError
from fob_protocol.pkcs11.flags import TokenFlag

TRIES: Final[Mapping[int, int]] = {Cku.USER: limits.USER_TRIES, Cku.SO: limits.SO_TRIES}

_PURPOSE: Final = "master key under a PIN"

# For each user the flags for: fewer tries than all, the last one, none.
_FLAGS: Final = {
    Cku.USER: (TokenFlag.USER_PIN_COUNT_LOW, TokenFlag.USER_PIN_FINAL_TRY, TokenFlag.USER_PIN_LOCKED),
    Cku.SO: (TokenFlag.SO_PIN_COUNT_LOW, TokenFlag.SO_PIN_FINAL_TRY, TokenFlag.SO_PIN_LOCKED),
}


def check_pin_size(pin: bytes) -> None:
    """Raises CkrError PIN_LEN_RANGE."""
    if not limits.PIN_MIN <= len(pin) <= limits.PIN_MAX:
        raise CkrError(Ckr.PIN_LEN_RANGE, f"a PIN has {limits.PIN_MIN} to {limits.PIN_MAX} octets")


def wrap_master(root: DeviceRoot, user: Cku, pin: bytes, master: bytes, cost: KdfCost) -> PinRow:
    """The record of a new PIN with all its tries; slow. Raises CkrError PIN_LEN_RANGE."""
    check_pin_size(pin)
    salt = root.random(SALT_SIZE)
    wrapped = seal(root.pin_key(user, pin, salt, cost), master, root.bind(_PURPOSE, user), root.random)
    return sealed(root, PinRow(user, salt, cost.iterations, cost.memory_kib, cost.lanes, wrapped, TRIES[user]))


class Pins:
    """Both PINs of one token. A record that this device did not write is CkrError DEVICE_ERROR, and costs no try."""

    def __init__(self, database: Database, root: DeviceRoot, journal: Journal = NO_JOURNAL) -> None:
        """Raises TokenFileError for a record that was altered, CkrError DEVICE_ERROR for a broken file."""
        self._database = database
        self._root = root
        self._journal = journal
        # A phone whose tries were changed does not even start.
        database.read(lambda connection: [load_record(connection, root, user) for user in _FLAGS])

    def unlock(self, user: Cku, pin: bytes) -> bytes:
        """The master key, by a PIN; slow. The try is spent, and on the disk, before the PIN is looked at.

        So whoever cuts the power in between has lost a try and learned nothing. Opening the wrapped key is the check.
        Raises CkrError PIN_LEN_RANGE (costs no try), USER_PIN_NOT_INITIALIZED, PIN_LOCKED, PIN_INCORRECT.
        """
        check_pin_size(pin)
        row = self._spend_try(user)
        try:
            key = self._root.pin_key(user, pin, row.salt, _cost(row))
            master = unseal(key, row.wrapped_master, self._root.bind(_PURPOSE, user))
        except SealBrokenError:
            self._note_wrong(user, row.tries_left - 1)
            raise CkrError(Ckr.PIN_INCORRECT) from None
        with self._database.transaction() as connection:
            # Read again: looking at a PIN takes a while.
            current = self._load(connection, user)
            if current is not None:
                store_tries(connection, self._root, current, TRIES[user])
        return master

    def wrap(self, user: Cku, pin: bytes, master: bytes) -> PinRow:
        """The record of a new PIN, at the cost that the token was made with; slow. Raises CkrError PIN_LEN_RANGE."""
        row = self._read(Cku.SO)
        if row is None:
            raise CkrError(Ckr.DEVICE_ERROR, "the SO's PIN record is missing")
        return wrap_master(self._root, user, pin, master, _cost(row))

    def note_set(self, connection: sqlite3.Connection, user: Cku) -> None:
        """The transaction sets a PIN: into the history with it."""
        self._journal.write(connection, Entry(Kind.PIN_CHANGED, words=PIN_OWNERS[user]))

    def tries_left(self, user: Cku) -> int | None:
        """Wrong PINs that are left, 0 when it is blocked; None when it was never set."""
        row = self._read(user)
        return None if row is None else row.tries_left

    def flags(self) -> TokenFlag:
        """The flags that follow from both PINs."""
        rows = self._database.read(lambda connection: {user: self._load(connection, user) for user in _FLAGS})
        flags = TokenFlag(0) if rows[Cku.USER] is None else TokenFlag.USER_PIN_INITIALIZED
        for user, (low, final, locked) in _FLAGS.items():
            row = rows[user]
            if row is None or row.tries_left == TRIES[user]:
                continue
            flags |= locked if row.tries_left == 0 else low
            flags |= final if row.tries_left == 1 else TokenFlag(0)
        return flags

    def _note_wrong(self, user: Cku, left: int) -> None:
        kind = Kind.WRONG_PIN if left else Kind.PIN_BLOCKED
        with self._database.transaction() as connection:
            self._journal.write(connection, Entry(kind, words=f"{PIN_OWNERS[user]}, tries left: {left}"))

    def _spend_try(self, user: Cku) -> PinRow:
        with self._database.transaction() as connection:
            row = self._load(connection, user)
            if row is None:
                raise CkrError(Ckr.USER_PIN_NOT_INITIALIZED)
            if row.tries_left == 0:
                raise CkrError(Ckr.PIN_LOCKED)
            store_tries(connection, self._root, row, row.tries_left - 1)
        return row

    def _read(self, user: Cku) -> PinRow | None:
        return self._database.read(lambda connection: self._load(connection, user))

    def _load(self, connection: sqlite3.Connection, user: Cku) -> PinRow | None:
        try:
            return load_record(connection, self._root, user)
        except TokenFileError as error:
            raise CkrError(Ckr.DEVICE_ERROR, str(error)) from None


def _cost(row: PinRow) -> KdfCost:
    return KdfCost(row.iterations, row.memory_kib, row.lanes)
