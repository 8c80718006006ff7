"""Where the phone's history ends, sealed under the root key: nobody takes the newest entries away unseen."""

import sqlite3
from dataclasses import dataclass
from typing import Final

from fob_device.store.errors import TokenFileError
from fob_device.store.history_rows import HistoryEnd, read_end, write_end
from fob_device.token.device_root import DeviceRoot
from fob_device.token.sealing import SealBrokenError
from fob_protocol.history.limits import HASH_SIZE
from fob_protocol.history.record import GENESIS

_PURPOSE: Final = "Fob history end 1"


@dataclass(frozen=True, slots=True)
class End:
    """`length` and `hash` of the newest record; `boots`: starts of the phone that made entries."""

    length: int = 0
    hash: bytes = GENESIS
    boots: int = 0


def make_history(connection: sqlite3.Connection, root: DeviceRoot) -> None:
    """A new phone's, with nothing in it."""
    store_end(connection, root, End())


def load_end(connection: sqlite3.Connection, root: DeviceRoot) -> End:
    """Raises TokenFileError when the row is gone or was altered."""
    row = read_end(connection)
    if row is None or len(row.hash) != HASH_SIZE:
        raise TokenFileError("the end of the phone's history is missing")
    try:
        root.unseal(_PURPOSE, row.seal, row.length, row.hash, row.boots)
    except SealBrokenError:
        raise TokenFileError("the end of the phone's history was altered") from None
    return End(row.length, row.hash, row.boots)


def store_end(connection: sqlite3.Connection, root: DeviceRoot, end: End) -> None:
    """From now on the history ends here."""
    seal = root.seal(_PURPOSE, b"", end.length, end.hash, end.boots)
    write_end(connection, HistoryEnd(end.length, end.hash, end.boots, seal))
