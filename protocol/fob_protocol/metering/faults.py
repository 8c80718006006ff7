"""What a mailer's device finds wrong with a data centre, by name (docs/protocol.md, section 4.4)."""

from enum import StrEnum
from typing import Final

from fob_protocol.errors import ProtocolError


class MeterFault(StrEnum):
    """For people and programs."""

    # Of an answer, which is not taken then.
    WRONG_SIGNATURE = "wrong-signature"
    WRONG_REQUEST = "wrong-request"
    WRONG_METER = "wrong-meter"
    WRONG_DEED = "wrong-deed"
    WRONG_COUNTER = "wrong-counter"
    WRONG_AMOUNT = "wrong-amount"
    WRONG_FEE = "wrong-fee"
    WRONG_PIECES = "wrong-pieces"
    WRONG_INTEGRITY = "wrong-integrity"
    UNLAWFUL = "unlawful"
    # Of the centre: what was counted, or said, before is not so any more.
    BROKEN_CHAIN = "broken-chain"
    UNKNOWN_FRANK = "unknown-frank"
    DONE_TWICE = "done-twice"
    LOG_REWRITTEN = "log-rewritten"
    # Of who asks.
    NO_ACCOUNT = "no-account"
    OTHER_METER = "other-meter"
    NOT_TAKEN = "not-taken"
    ASKING = "asking"
    ID_USED = "id-used"
    CLOCK_AHEAD = "clock-ahead"


# Nothing is franked or loaded with one of these before the mailer signs on again.
LASTING: Final = frozenset(
    {
        MeterFault.BROKEN_CHAIN,
        MeterFault.UNKNOWN_FRANK,
        MeterFault.DONE_TWICE,
        MeterFault.LOG_REWRITTEN,
        MeterFault.WRONG_FEE,
    }
)


class MeterError(ProtocolError):
    """A rule that is broken; nothing of what came was taken. `why` is for people."""

    def __init__(self, fault: MeterFault, why: str) -> None:
        self.fault = fault
        self.why = why
        super().__init__(f"{fault}: {why}")


class UnknownBoxError(MeterError):
    """Signed by a box that no pass is known of: there may be a newer one."""

    def __init__(self, why: str) -> None:
        super().__init__(MeterFault.WRONG_SIGNATURE, why)
