"""Money that went back: the log notes the provider's receipt for each refund, and there is one for each."""

import hashlib
import sqlite3
from types import TracebackType
from typing import Final, Self

from fob_log_verify.cbor import CborError, read
from fob_log_verify.errors import UnreadableError
from fob_log_verify.findings import Finding, Outcome

_TABLE: Final = (
    "CREATE TABLE payouts (serial TEXT, number INTEGER, place INTEGER, digest BLOB, PRIMARY KEY (serial, number)) "
    "WITHOUT ROWID"
)
_FIND: Final = "SELECT place, digest FROM payouts WHERE serial = ? AND number = ?"
_KEEP: Final = "INSERT INTO payouts VALUES (?, ?, ?, ?)"
# SQLite's integers; no counter has more.
_NUMBER_LIMIT: Final = 1 << 63


class Payouts:
    """In a file that SQLite makes and removes itself: there may be more of them than memory holds."""

    def __init__(self) -> None:
        """Raises UnreadableError."""
        self._base = sqlite3.connect("", isolation_level=None)
        try:
            for statement in ("PRAGMA journal_mode = OFF", "PRAGMA synchronous = OFF", _TABLE, "BEGIN"):
                self._base.execute(statement)
        except sqlite3.Error as error:
            self._base.close()
            raise _unkept(error) from None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._base.close()

    def look_at(self, place: int, note: bytes) -> Finding | None:
        """A second receipt for one refund: it was paid twice. Other notes say nothing here. Raises UnreadableError."""
        try:
            elements = read(note)
        except CborError:
            return None
        match elements:
            case [4, str(serial), int(number), bytes(receipt)] if 0 <= number < _NUMBER_LIMIT:
                return self._paid(place, serial, number, hashlib.sha256(receipt).digest())
        return None

    def _paid(self, place: int, serial: str, number: int, digest: bytes) -> Finding | None:
        try:
            before = self._base.execute(_FIND, (serial, number)).fetchone()
            if before is None:
                self._base.execute(_KEEP, (serial, number, place, digest))
                return None
        except sqlite3.Error as error:
            raise _unkept(error) from None
        if before[1] == digest:
            return None
        why = f"refund {number} of {serial} was paid twice: entry {before[0]} has another receipt for it"
        return Finding(place, Outcome.UNLAWFUL, why)


def _unkept(error: sqlite3.Error) -> UnreadableError:
    return UnreadableError(
        "what was paid back cannot be kept for a moment", str(error), "SQLITE_TMPDIR=FOLDER fob-log-verify LOG"
    )
