"""What the log itself says of indicia: how often each was scanned, and whether it was given back.

A scan says what was known before it. Who wrote something else into the database made a scan that does not fit the log.
"""

from dataclasses import dataclass
from typing import Final

from fob_log_verify.cbor import CborError, read
from fob_log_verify.findings import Finding, Outcome
from fob_log_verify.scratch import Scratch

_HASH_SIZE: Final = 32
_TABLE: Final = "CREATE TABLE pieces (digest BLOB PRIMARY KEY, seen INTEGER, given_back INTEGER) WITHOUT ROWID"
_SEE: Final = (
    "INSERT INTO pieces VALUES (?, 1, 0) ON CONFLICT DO UPDATE SET seen = seen + 1 RETURNING seen - 1, given_back"
)
_GIVE_BACK: Final = (
    "INSERT INTO pieces VALUES (?, 0, 1) ON CONFLICT DO UPDATE SET given_back = given_back + 1 "
    "RETURNING given_back - 1, seen"
)


@dataclass(frozen=True, slots=True)
class Scan:
    """Of the indicium with this hash. `known`: how often it was seen before, and whether given back (0 or 1).

    None: the scan is of a version that did not say it.
    """

    name: str
    digest: bytes
    known: tuple[int, int] | None


def read_scan(content: bytes) -> Scan:
    """Raises CborError for a content of another shape."""
    match read(content):
        case [1, str(serial), int(counter), int(piece), bytes(digest), int(_)] if len(digest) == _HASH_SIZE:
            return Scan(f"piece {piece} of {counter} of {serial}", digest, None)
        case [2, str(serial), int(counter), int(piece), bytes(digest), int(_), int(seen), 0 | 1 as given_back] if (
            len(digest) == _HASH_SIZE and seen >= 0
        ):
            return Scan(f"piece {piece} of {counter} of {serial}", digest, (seen, int(given_back)))
    raise CborError("the elements of a scan are due")


class Pieces(Scratch):
    """Of all indicia that were scanned or given back so far."""

    def __init__(self) -> None:
        """Raises UnreadableError."""
        super().__init__("what was scanned", _TABLE)
        self.scans = 0

    def scan(self, place: int, scan: Scan) -> Finding | None:
        """What is wrong with the next scan, which stands at this place. Raises UnreadableError."""
        self.scans += 1
        seen, given_back = self._row(_SEE, scan.digest)
        due = (seen, min(given_back, 1))
        if scan.known is None or scan.known == due:
            return None
        is_less = scan.known[0] < due[0] or scan.known[1] < due[1]
        why = f"{scan.name}: it says {_in_words(*scan.known)}, and the log {_in_words(*due)}"
        return Finding(place, Outcome.FORGOTTEN if is_less else Outcome.UNFOUNDED, why)

    def give_back(self, place: int, digest: bytes, name: str) -> Finding | None:
        """What is wrong with a transaction (its name) that gives an indicium back. Raises UnreadableError."""
        before, seen = self._row(_GIVE_BACK, digest)
        if before:
            return Finding(place, Outcome.UNLAWFUL, f"{name} gives an indicium back that was given back before")
        if seen:
            return Finding(place, Outcome.UNLAWFUL, f"{name} gives an indicium back that had been scanned")
        return None


def _in_words(seen: int, given_back: int) -> str:
    return f"seen {seen} times before" + (", given back" if given_back else "")
