"""What each meter franked in this log: nothing else is given back.

What was franked in a part of the log that is not there (it begins in the middle, or says itself what was lost) may be.
"""

from typing import Final

from fob_log_verify.findings import Finding, Outcome
from fob_log_verify.indicia import Indicium
from fob_log_verify.scratch import Scratch
from fob_log_verify.transactions import Deed, Transaction

_HASH_SIZE: Final = 32
# `digests`: of the indicia, one behind the other. A row for each frank, not for each piece.
_FRANKED: Final = (
    "CREATE TABLE franked (meter INTEGER, counter INTEGER, digests BLOB, PRIMARY KEY (meter, counter)) WITHOUT ROWID"
)
# Counters that are not there, from the first to before the end.
_MISSING: Final = (
    "CREATE TABLE missing (meter INTEGER, first INTEGER, end INTEGER, PRIMARY KEY (meter, first)) WITHOUT ROWID"
)
_KEEP: Final = "INSERT INTO franked VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
_FIND: Final = "SELECT digests FROM franked WHERE meter = ? AND counter = ?"
_MISS: Final = "INSERT INTO missing VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
_LOOK: Final = "SELECT end FROM missing WHERE meter = ? AND first <= ? ORDER BY first DESC LIMIT 1"


class Franked(Scratch):
    """Of all transactions so far. Meters have numbers here, which are shorter than serials."""

    def __init__(self) -> None:
        """Raises UnreadableError."""
        super().__init__("what was franked", _FRANKED, _MISSING)

    def miss(self, meter: int, first: int, end: int) -> None:
        """This meter's transactions from one counter to before another are not there. Raises UnreadableError."""
        self._row(_MISS, meter, first, end)

    def look_at(self, place: int, meter: int, transaction: Transaction) -> Finding | None:
        """What this meter gives back has to be what it franked. Raises UnreadableError."""
        if transaction.deed == Deed.FRANK:
            self._row(_KEEP, meter, transaction.counter, b"".join(one.digest for one in transaction.indicia))
        if transaction.deed != Deed.CREDIT:
            return None
        for indicium in transaction.indicia:
            if indicium.serial != transaction.serial or not self._may_be(meter, indicium):
                what = f"piece {indicium.piece} of {indicium.counter}"
                why = f"{transaction.name} gives {what} back, which {transaction.serial} did not frank"
                return Finding(place, Outcome.UNFOUNDED, why)
        return None

    def _may_be(self, meter: int, indicium: Indicium) -> bool:
        found = self._row(_FIND, meter, indicium.counter)
        if found is not None:
            begin = indicium.piece * _HASH_SIZE
            return bool(found[0][begin : begin + _HASH_SIZE] == indicium.digest)
        gap = self._row(_LOOK, meter, indicium.counter)
        return gap is not None and indicium.counter < gap[0]
