"""What the other processes refuse, in the words that a device is told (docs/meter-protocol.md, section 4)."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from fob_office.centre.bus.errors import BusRefusedError
from fob_office.centre.words import Word
from fob_office.refusing import RuleBrokenError
from fob_protocol.cose.errors import CoseError
from fob_protocol.errors import ProtocolError
from fob_protocol.names import plain_name
from fob_protocol.office.errors import OfficeError, RefusedError
from fob_protocol.office.limits import REFUSAL_LIMIT
from fob_protocol.office.refusal_words import MEANINGS
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
ALARMING: Final = frozenset({Word.TAMPERING, Word.EPOCH_ROLLBACK, Word.NEWER_STANDING, Word.TAMPERED})
# What passes: another process is asked, or the same one in a moment.
PASSING: Final = frozenset({Word.MOVED, Word.INCOMPLETE, Word.ALONE, Word.UNAVAILABLE, Word.NEWER_VIEW})
# About what the mailer asked for, and knows of himself: nobody learns more of a centre, or of another, by the reason.
_EXPLAINED: Final = frozenset(
    {
        Refusal.STOPPED,
        Refusal.INSUFFICIENT_FUNDS,
        Refusal.OVER_LIMIT,
        Refusal.WRONG_ORIGIN,
        Refusal.PAYMENT_REFUSED,
        Refusal.NO_REFUND,
    }
)
# By what boxes say.
_SAID: Final[dict[str, Refusal]] = {
    **{refusal.value: refusal for refusal in _CLAUSES},
    **dict.fromkeys(ALARMING, Refusal.TAMPERING),
    Word.STALE: Refusal.LATE,
    Word.MALFORMED: Refusal.MALFORMED,
}


def refusal_of(error: BusRefusedError) -> RuleBrokenError:
    """What a device is told of it; what it has no word for is `unavailable`."""
    return refused(_SAID.get(error.word, Refusal.UNAVAILABLE), error.why)


def unreadable(serial: str, error: ProtocolError) -> BusRefusedError:
    """What no box made stands in the database (M22)."""
    return BusRefusedError(Word.TAMPERING, f"what stands there of {serial} cannot be read: {error}")


@contextmanager
def reading_of(serial: str) -> Iterator[None]:
    """What the database has of a meter is read. Raises BusRefusedError TAMPERING, and so the centre is warned."""
    try:
        yield
    except (CoseError, OfficeError) as error:
        raise unreadable(serial, error) from None


def is_final(error: BusRefusedError | RefusedError) -> bool:
    """Whether a device takes it for good, and forgets what it asked for."""
    return said_by(error) is not Refusal.UNAVAILABLE


def is_strange(error: BusRefusedError | RefusedError) -> bool:
    """Whether it says that nobody knows who asks."""
    return said_by(error) in (Refusal.NOT_AUTHENTICATED, Refusal.LOCKED)


def said_by(error: BusRefusedError | RefusedError) -> Refusal:
    """The word that a device is told."""
    said = refusal_of(error) if isinstance(error, BusRefusedError) else error
    return said.refusal


def refused(refusal: Refusal, why: str, *, is_told: bool = False) -> RuleBrokenError:
    """With the clause that it is for; `is_told`: the mailer hears this reason, also of a word that has none else."""
    broken = RuleBrokenError(refusal, _CLAUSES.get(refusal, "X8"), why)
    broken.said = why if is_told else ""
    return broken


def said_of(refusal: Refusal, why: str) -> str:
    """What the mailer hears of a reason: of his own money, limits, places and indicia; empty for all others."""
    # The meaning of the word is said with it: once is enough.
    is_new = refusal in _EXPLAINED and why != MEANINGS[refusal][0]
    return plain_name(why, REFUSAL_LIMIT) if is_new else ""


@contextmanager
def refusing_operators() -> Iterator[None]:
    """What breaks a rule is refused in the rule's own word; an order, or a record, that cannot be read as malformed."""
    try:
        yield
    except RuleBrokenError as error:
        raise BusRefusedError(error.refusal, error.why) from None
    except (CoseError, OfficeError) as error:
        raise BusRefusedError(Word.MALFORMED, str(error)) from None
