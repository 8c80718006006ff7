"""What is wrong, by name, and where."""

from dataclasses import dataclass, field
from enum import StrEnum

from fob_log_verify.limits import FINDINGS_LIMIT


class Outcome(StrEnum):
    """What became of entries, or of a checkpoint."""

    AGREES = "agrees"
    CHANGED = "changed"
    DELETED = "deleted"
    # Entries are missing, and a note of the log says that the database was put back. Staff could write that too.
    RECOVERED = "recovered"
    SWAPPED = "swapped"
    # A record that was there before, once more.
    PUT_BACK = "put-back"
    # It does not continue what its meter had come to.
    BROKEN_CHAIN = "broken-chain"
    # Its registers are not what loads, refunds and postage make of those before.
    UNLAWFUL = "unlawful"
    # A scan says less, or more, of an indicium than the log before it; or what gives one back says more.
    FORGOTTEN = "forgotten"
    UNFOUNDED = "unfounded"
    # An indicium that is not of the transaction in which it stands.
    MISPLACED = "misplaced"
    # What is asked under one id is done once.
    DONE_TWICE = "done-twice"
    # Only of checkpoints: entries before it are others, and nothing tells how.
    REWRITTEN = "rewritten"
    CUT_OFF = "cut-off"
    NOT_SIGNED = "not-signed"
    OTHER_LOG = "other-log"


@dataclass(slots=True)
class Finding:
    """At an entry's place, from 0. What comes later may show that what seems deleted was swapped."""

    place: int
    outcome: Outcome
    why: str


@dataclass(slots=True)
class Findings:
    """The first ones, and how many there are."""

    shown: list[Finding] = field(default_factory=list)
    count: int = 0

    def add(self, finding: Finding) -> None:
        """In the order of their places."""
        self.count += 1
        if len(self.shown) < FINDINGS_LIMIT:
            self.shown.append(finding)
