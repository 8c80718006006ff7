"""What a check of a history found, in words."""

from dataclasses import dataclass
from enum import Enum
from typing import Final


class Fault(Enum):
    """Why a record does not fit."""

    EDITED = "edited"
    DELETED = "deleted"
    SWAPPED = "swapped"
    INSERTED = "inserted"
    MISCOUNTED = "miscounted"
    OTHER_KEY = "signed by another key"
    CUT_OFF = "cut off"
    BRANCHED = "branched"
    ROLLED_BACK = "rolled back"
    HEAD = "head"


_WORDS: Final = {
    Fault.EDITED: "{} was edited",
    Fault.DELETED: "{} was deleted",
    Fault.SWAPPED: "{} was put in another place",
    Fault.INSERTED: "something was inserted where {} should stand",
    Fault.MISCOUNTED: "{} does not continue the count of its key's uses: the phone's counter was changed",
    Fault.OTHER_KEY: "{} is signed by another key than before",
    Fault.CUT_OFF: "the end was cut off: {} is missing",
    Fault.BRANCHED: "{} does not continue what was there before: an older state was put back",
    Fault.ROLLED_BACK: "it is older than what this computer has seen: {} is missing",
    Fault.HEAD: "the end of the history, {}, is not signed by the phone",
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """`fault` None: all of it fits. Else `sequence` is that of the first entry that does not.

    `unseen`: entries that dropped out of the history before this computer saw them.
    """

    fault: Fault | None = None
    sequence: int = 0
    unseen: int = 0

    @property
    def is_good(self) -> bool:
        """True when nothing was changed."""
        return self.fault is None

    def words(self) -> str:
        """The first entry that does not fit, and why; for a person."""
        if self.fault is None:
            return "every entry fits"
        return _WORDS[self.fault].format(f"entry {self.sequence:,}")
