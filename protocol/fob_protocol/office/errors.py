"""What a device refuses of an office, by name (docs/office-protocol.md, sections 2 and 6.3)."""

from enum import StrEnum

from fob_protocol.errors import ProtocolError
from fob_protocol.office.refusals import Refusal


class Fault(StrEnum):
    """The name of the rule that is broken; the specification's table says which attack it ends."""

    MALFORMED = "malformed"
    WRONG_SIGNATURE = "wrong-signature"
    # Certificates and lists (R9, R27).
    WRONG_ISSUER = "wrong-issuer"
    OTHER_SERVER = "other-server"
    OTHER_USAGE = "other-usage"
    NOT_YET_VALID = "not-yet-valid"
    EXPIRED = "expired"
    REVOKED = "revoked"
    ROLLBACK = "rollback"
    LIST_ROLLBACK = "list-rollback"
    LIST_EXPIRED = "list-expired"
    # Answers, registration and sessions.
    STALE_ANSWER = "stale-answer"
    WRONG_REPLY = "wrong-reply"
    WRONG_PROOF = "wrong-proof"
    OUT_OF_ORDER = "out-of-order"
    # Entitlements (R21).
    OTHER_USER = "other-user"
    OTHER_DEVICE = "other-device"
    STALE = "stale"
    # Sets and components (C16, C20, C25 to C27).
    SET_ROLLBACK = "set-rollback"
    VERSION_ROLLBACK = "version-rollback"
    COUNTER_ROLLBACK = "counter-rollback"
    COUNTER_TOO_FAR = "counter-too-far"
    OTHER_HARDWARE = "other-hardware"
    MISSING_DEPENDENCY = "missing-dependency"
    EXTRANEOUS_DEPENDENCY = "extraneous-dependency"
    MIX_AND_MATCH = "mix-and-match"
    TOO_LARGE = "too-large"
    WRONG_SIZE = "wrong-size"
    WRONG_DIGEST = "wrong-digest"
    UNKNOWN_ID = "unknown-id"
    DUPLICATE_ID = "duplicate-id"
    MISSING_ENTRY = "missing-entry"
    OVERLAP = "overlap"
    OUT_OF_RANGE = "out-of-range"
    WRONG_ORDER = "wrong-order"
    WRONG_AUTHORISATION = "wrong-authorisation"
    NAME_IN_USE = "name-in-use"


class OfficeError(ProtocolError):
    """What the office sent breaks a rule; nothing of it was taken. `why` is for people."""

    def __init__(self, fault: Fault, why: str) -> None:
        self.fault = fault
        self.why = why
        super().__init__(f"{fault}: {why}")


class RefusedError(ProtocolError):
    """The office said no. `retry_after`: seconds, when it may say yes; `said`: why, to people, where it says so.

    `time` is the server's clock, of a refusal that it signed; 0 of any other.
    """

    def __init__(self, refusal: Refusal, retry_after: int | None = None, said: str = "", time: int = 0) -> None:
        self.refusal = refusal
        self.retry_after = retry_after
        self.said = said
        self.time = time
        super().__init__(f"the office refused: {refusal}")
