"""How processes of the data centre refuse (docs/meter-protocol.md): for programs."""

from enum import StrEnum


class Word(StrEnum):
    """Of all kinds of process; devices know some of them too."""

    # Of the bus itself, whoever answers on it.
    NOT_YOURS = "not-yours"
    UNKNOWN_COMMAND = "unknown-command"
    MALFORMED = "malformed"
    TOO_LARGE = "too-large"
    FAILED = "failed"
    TAMPERED = "tampered"
    UNAVAILABLE = "unavailable"
    # Another record stands there than the one that was to be replaced.
    CONFLICT = "conflict"
    ID_USED = "id-used"
    NAME_TAKEN = "name-taken"
    PAYMENT_REFUSED = "payment-refused"
    NO_PAYOUT = "no-payout"
    NO_SUCH_SIZE = "no-such-size"
    # Of a transaction box: prove from this one on.
    OTHER_SIZE = "other-size"
    TAMPERING = "tampering"
    # What the database holds is no log any more.
    DAMAGED = "damaged"
    # Of meter boxes. The database lacks a change that the box has made; it is in the data.
    BEHIND = "behind"
    # This box does not own the meter; it owns it and does not know all of its slot; its second is away.
    MOVED = "moved"
    INCOMPLETE = "incomplete"
    ALONE = "alone"
    EPOCH_ROLLBACK = "epoch-rollback"
    # Nobody's crime: of a warning alone.
    CLOCK = "clock"
    STOPPED = "stopped"
    INSUFFICIENT_FUNDS = "insufficient-funds"
    OVER_LIMIT = "over-limit"
    NOT_AUTHENTICATED = "not-authenticated"
    STALE = "stale"
    NO_REFUND = "no-refund"
    NO_METER = "no-meter"
    # Its tokens are codes, which no stranger can verify.
    NO_PUBLIC_KEY = "no-public-key"
    # Of authentication boxes.
    LOCKED = "locked"
    WRONG_ORIGIN = "wrong-origin"
    NO_REFILL = "no-refill"
    # Of the manufacturing box: there is one; the name was admitted with other keys; no more are admitted.
    ONLY_ONE = "only-one"
    NAME_IN_USE = "name-in-use"
    FULL = "full"
    NO_METER_BOX = "no-meter-box"
    # Of steel boxes: not both owners have given a key for the value kind; another one was given already.
    NO_KEYS = "no-keys"
    KEY_GIVEN = "key-given"
    # The view of who asks is older, or newer, than that of who is asked.
    OLDER_VIEW = "older-view"
    NEWER_VIEW = "newer-view"
    # The second knows more of a meter than its owner, who was put back.
    NEWER_STANDING = "newer-standing"
