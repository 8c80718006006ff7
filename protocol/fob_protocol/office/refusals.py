"""Why the office says no. Names are what people and programs are told; the clause says which rule it is."""

from enum import StrEnum


class Refusal(StrEnum):
    """The second element of a refusal (docs/office-protocol.md, section 3)."""

    # Any service: the body is no message of it; it cannot be answered now.
    MALFORMED = "malformed"
    UNAVAILABLE = "unavailable"
    # Registration (R25, R26) and the registration of a device that the office does not know.
    NAME_TAKEN = "name-taken"
    FIELDS_WRONG = "fields-wrong"
    OUT_OF_DATE = "out-of-date"
    # Sessions (R19, R20): one word for an unknown code and a wrong proof.
    NOT_PROVED = "not-proved"
    LOCKED = "locked"
    NO_SESSION = "no-session"
    OUT_OF_ORDER = "out-of-order"
    # The gateway (R23).
    NOT_ENTITLED = "not-entitled"
    # Configuration (C3 to C6, C22, C28): one word for all that may be wrong with who asks.
    DENIED = "denied"
    NO_CONTENT = "no-content"
    # Something that is ordered and held has no release to be given: so nothing else can change either (C16, C26).
    LACKING = "lacking"
    # Copies (V14, V22, V23): what is wrong with a request of a holder that is known.
    REPLAYED = "replayed"
    OUT_OF_SEQUENCE = "out-of-sequence"
    OTHER_VERIFIER = "other-verifier"
    STALE_CHALLENGE = "stale-challenge"
    LATE = "late"
    IV_USED = "iv-used"
    LETTER_USED = "letter-used"
    # Meters (M19, M22, M24, M28 to M31, M33; X5).
    NO_ACCOUNT = "no-account"
    NOT_AUTHENTICATED = "not-authenticated"
    STOPPED = "stopped"
    INSUFFICIENT_FUNDS = "insufficient-funds"
    OVER_LIMIT = "over-limit"
    WRONG_ORIGIN = "wrong-origin"
    NOT_VALIDATED = "not-validated"
    ID_USED = "id-used"
    PAYMENT_REFUSED = "payment-refused"
    NO_REFUND = "no-refund"
    TAMPERING = "tampering"
