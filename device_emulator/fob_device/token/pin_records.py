"""PIN records as this device wrote them: each is sealed as a whole under the root key, the tries left with the rest."""

import sqlite3
from dataclasses import replace
from typing import Final

from fob_device.store.errors import TokenFileError
from fob_device.store.pin_rows import PinRow, read_pin, write_pin
from fob_device.token.device_root import DeviceRoot
from fob_device.token.sealing import SealBrokenError
from fob_protocol.pkcs11.constants import Cku

_PURPOSE: Final = "Fob PIN record 1"

# Whose PIN, in words.
PIN_OWNERS: Final = {Cku.USER: "the user's", Cku.SO: "the security officer's"}


def sealed(root: DeviceRoot, row: PinRow) -> PinRow:
    """The row with the seal that its values need."""
    return replace(row, seal=root.seal(_PURPOSE, b"", *_values(row)))


def load_record(connection: sqlite3.Connection, root: DeviceRoot, user: Cku) -> PinRow | None:
    """The record of `user`, None when the PIN was never set. Raises TokenFileError for one that was altered."""
    row = read_pin(connection, user)
    if row is None:
        return None
    try:
        root.unseal(_PURPOSE, row.seal, *_values(row))
    except SealBrokenError:
        raise TokenFileError(f"the record of {PIN_OWNERS[user]} PIN, with the tries left, was altered") from None
    return row


def store_tries(connection: sqlite3.Connection, root: DeviceRoot, row: PinRow, tries_left: int) -> None:
    """The same record with another count of tries."""
    write_pin(connection, sealed(root, replace(row, tries_left=tries_left)))


def _values(row: PinRow) -> tuple[int | bytes, ...]:
    return (row.user, row.salt, row.iterations, row.memory_kib, row.lanes, row.wrapped_master, row.tries_left)
