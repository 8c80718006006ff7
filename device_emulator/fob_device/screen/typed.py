"""What became of a PIN that was typed."""

from dataclasses import dataclass
from enum import Enum
from typing import Final

from fob_device.pad.tries import NO_PIN, blocked_words, wrong_words
from fob_device.token import limits
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.constants import Cku
from fob_protocol.pkcs11.errors import CkrError


class Outcome(Enum):
    """What the person does now."""

    DONE = "done"
    # The next PIN of the same sheet: a new one is typed twice.
    NEXT = "next"
    WRONG = "wrong"
    # Too short or long, or not what was typed before; cost no try.
    UNFIT = "unfit"
    BLOCKED = "blocked"
    # Another PIN is being looked at: this one was not.
    BUSY = "busy"
    # The device failed; a try may be spent.
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Typed:
    """`words` for the person, nothing when all is well."""

    outcome: Outcome
    words: str = ""

    @property
    def may_go_on(self) -> bool:
        """True while typing once more can help."""
        return self.outcome in (Outcome.NEXT, Outcome.WRONG, Outcome.UNFIT, Outcome.BUSY)


DONE: Final = Typed(Outcome.DONE)
BUSY: Final = Typed(Outcome.BUSY, "One moment: a PIN is being checked.")
UNFIT: Final = Typed(
    Outcome.UNFIT,
    f"A PIN has {limits.PIN_MIN} to {limits.PIN_MAX} digits or plain letters; other characters count as 2 to 4.",
)


def judged(error: CkrError, user: Cku, tries_left: int) -> Typed:
    """A refusal as the person hears it; `tries_left` after it."""
    match error.ckr:
        case Ckr.PIN_INCORRECT if tries_left > 0:
            return Typed(Outcome.WRONG, wrong_words(user, tries_left))
        case Ckr.PIN_INCORRECT | Ckr.PIN_LOCKED:
            return Typed(Outcome.BLOCKED, blocked_words(user))
        case Ckr.PIN_LEN_RANGE:
            return UNFIT
        case Ckr.USER_PIN_NOT_INITIALIZED:
            return Typed(Outcome.BLOCKED, NO_PIN)
        case _:
            return Typed(Outcome.FAILED, f"The phone failed: {error.reason}")
