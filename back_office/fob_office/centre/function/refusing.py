"""What the other processes refuse, in the words that a device is told (docs/meter-protocol.md, section 4)."""

from typing import Final

from fob_office.centre.bus.errors import BusRefusedError
from fob_office.centre.bus.errors import Word as BusWord
from fob_office.centre.words import Word
from fob_office.refusing import RuleBrokenError
from fob_protocol.office.refusals import Refusal

# The clause that is broken, for the log (X8).
_CLAUSES: Final = {
    Refusal.NOT_AUTHENTICATED: "M19",
    Refusal.LOCKED: "M19",
    Refusal.STOPPED: "M31",
    Refusal.INSUFFICIENT_FUNDS: "M24",
    Refusal.OVER_LIMIT: "M29",
    Refusal.WRONG_ORIGIN: "M28",
    Refusal.NOT_VALIDATED: "X5",
    Refusal.ID_USED: "M33",
    Refusal.LATE: "M21",
    Refusal.PAYMENT_REFUSED: "M29",
    Refusal.NO_REFUND: "M29",
    Refusal.TAMPERING: "M22",
    Refusal.NAME_TAKEN: "M30",
}
# Nobody but staff, or who stole from them, can bring these about: the centre is warned.
ALARMING: Final = frozenset({Word.TAMPERING, Word.EPOCH_ROLLBACK, Word.NEWER_STANDING, BusWord.TAMPERED})
# What passes: another process is asked, or the same one in a moment.
PASSING: Final = frozenset({Word.MOVED, Word.INCOMPLETE, Word.ALONE, Word.UNAVAILABLE, Word.NEWER_VIEW})
# By what boxes say.
_SAID: Final = {refusal.value: refusal for refusal in _CLAUSES} | {Word.STALE.value: Refusal.LATE}


def refusal_of(error: BusRefusedError) -> RuleBrokenError:
    """What a device is told of it; what it has no word for is `unavailable`."""
    if error.word in ALARMING:
        return refused(Refusal.TAMPERING, error.why)
    if error.word == Word.STALE:
        return refused(Refusal.LATE, error.why)
    if error.word == BusWord.MALFORMED:
        return refused(Refusal.MALFORMED, error.why)
    return refused(_SAID.get(error.word, Refusal.UNAVAILABLE), error.why)


def refused(refusal: Refusal, why: str) -> RuleBrokenError:
    """With the clause that it is for."""
    return RuleBrokenError(refusal, _CLAUSES.get(refusal, "X8"), why)
