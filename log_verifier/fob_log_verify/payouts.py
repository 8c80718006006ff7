"""Money that went back: the log notes the provider's receipt for each refund, and there is one for each."""

import hashlib
from typing import Final

from fob_log_verify.cbor import CborError, read
from fob_log_verify.findings import Finding, Outcome
from fob_log_verify.limits import NUMBER_LIMIT
from fob_log_verify.scratch import Scratch

_TABLE: Final = (
    "CREATE TABLE payouts (serial TEXT, number INTEGER, place INTEGER, digest BLOB, PRIMARY KEY (serial, number)) "
    "WITHOUT ROWID"
)
_FIND: Final = "SELECT place, digest FROM payouts WHERE serial = ? AND number = ?"
_KEEP: Final = "INSERT INTO payouts VALUES (?, ?, ?, ?)"


class Payouts(Scratch):
    """Of all refunds that were paid so far."""

    def __init__(self) -> None:
        """Raises UnreadableError."""
        super().__init__("what was paid back", _TABLE)

    def look_at(self, place: int, note: bytes) -> Finding | None:
        """A second receipt for one refund: it was paid twice. Other notes say nothing here. Raises UnreadableError."""
        try:
            elements = read(note)
        except CborError:
            return None
        match elements:
            case [4, str(serial), int(number), bytes(receipt)] if 0 <= number <= NUMBER_LIMIT:
                return self._paid(place, serial, number, hashlib.sha256(receipt).digest())
        return None

    def _paid(self, place: int, serial: str, number: int, digest: bytes) -> Finding | None:
        before = self._row(_FIND, serial, number)
        if before is None:
            self._row(_KEEP, serial, number, place, digest)
            return None
        if before[1] == digest:
            return None
        why = f"refund {number} of {serial} was paid twice: entry {before[0]} has another receipt for it"
        return Finding(place, Outcome.UNLAWFUL, why)
