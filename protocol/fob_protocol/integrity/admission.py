"""Which copy is enabled (docs/integrity-protocol.md, section 4): the rules alone, without clock, disk or office."""

from enum import Enum, auto

from fob_protocol.integrity.copy_record import INSTALLATION_POLICY
from fob_protocol.integrity.held_copy import Awaited, HeldCopy, Kept, NeedsNone
from fob_protocol.integrity.validation import State


class NotEnabledError(Exception):
    """`word` as the PC hears it: `not-validated`, or the server's verdict; `reason`: why, by name."""

    def __init__(self, program: str, word: str, reason: str) -> None:
        self.program = program
        self.word = word
        self.reason = reason
        super().__init__(f"{program}: {word}")


class Standing(Enum):
    """What is to be done before a copy is used."""

    ENABLED = auto()
    ASK = auto()
    REFUSED = auto()


def standing(kept: Kept | None, now: int, *, is_validated_here: bool) -> Standing:
    """At a use. `is_validated_here`: VAL_OK came since the start."""
    if isinstance(kept, NeedsNone):
        return Standing.ENABLED
    if not isinstance(kept, HeldCopy):
        return Standing.ASK
    if kept.has_verdict:
        return Standing.REFUSED
    if kept.state is not State.VALID or not is_validated_here:
        return Standing.ASK
    # With an interval of 0 each use asks anew, and one that seems to be of later than now says nothing of now.
    is_fresh = 0 <= now - kept.validated < kept.about.policy.interval
    return Standing.ENABLED if is_fresh else Standing.ASK


def is_graced(copy: HeldCopy, now: int, measured: bytes) -> bool:
    """Whether it goes on without its server: it was valid, is still the same (H of it), and not for too long."""
    is_same = copy.state is State.VALID and copy.measured == measured
    return is_same and _age(copy.validated, now) < copy.about.policy.grace


def is_new(kept: Kept | None, now: int) -> bool:
    """Whether its first VAL_OK may still be waited for: only an installation, which is what asks, does.

    Before there is a copy nobody has said for how long; then it is as long as where an operator says nothing.
    """
    match kept:
        case None:
            return True
        case Awaited():
            return _age(kept.since, now) < INSTALLATION_POLICY.grace
        case HeldCopy():
            waits = kept.state is None and not kept.reason and not kept.is_barred and not kept.is_lost
            return waits and _age(kept.received, now) < kept.about.policy.grace
    return False


def _age(then: int, now: int) -> int:
    """Seconds; of what seems to be of later than now, since clocks are set and times are kept in steps, none."""
    return max(now - then, 0)
