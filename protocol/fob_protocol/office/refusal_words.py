"""What the refusals of offices, devices and components mean to a person, by their names. One table.

Names are those of docs/office-protocol.md: sections 3 (the office), 2 and 6.3 (the device), 6.4 and 6.5 (components),
of docs/integrity-protocol.md, section 3 (copies), and of docs/protocol.md, section 4.3 (the relay).
"""

from enum import Enum, auto
from typing import Final


class Deed(Enum):
    """What helps. The screen of a device and the command line of a PC say it each in their own words."""

    AGAIN = auto()
    LATER = auto()
    OPERATOR = auto()
    DOCTOR = auto()
    CONFIGURE = auto()
    OPTIONS = auto()
    REGISTER = auto()
    OTHER_NAME = auto()
    OTHER_FIELDS = auto()
    ENTITLED = auto()
    LETTER = auto()
    VALIDATE = auto()
    RESYNCHRONISE = auto()
    SIGN_UP = auto()
    SIGN_ON = auto()
    REFILL = auto()
    PAYMENT = auto()


# Name: what is the matter, and what helps.
MEANINGS: Final[dict[str, tuple[str, Deed]]] = {
    # The office.
    "malformed": ("what was sent breaks a rule of the protocol", Deed.DOCTOR),
    "unavailable": ("the office cannot answer now", Deed.LATER),
    "name-taken": ("somebody else is registered there by that name", Deed.OTHER_NAME),
    "fields-wrong": ("the office does not take what was filled in", Deed.OTHER_FIELDS),
    "out-of-date": ("the office has changed what it asks for", Deed.AGAIN),
    "not-proved": ("the office does not know this registration", Deed.REGISTER),
    "locked": ("too many wrong proofs: the office has locked this registration for a minute", Deed.LATER),
    "no-session": ("the office has ended the session", Deed.AGAIN),
    "out-of-order": ("a message of the session came out of turn, and the session has ended", Deed.AGAIN),
    "not-entitled": ("this person, or this computer, may not use that", Deed.ENTITLED),
    "denied": ("the office does not serve this device: it does not know it, or has no order for it", Deed.OPERATOR),
    "no-content": ("the office has no such component any more", Deed.CONFIGURE),
    "lacking": ("an option that runs has no release that holds any more, so nothing else may change", Deed.OPERATOR),
    # The device, of what an office sent: certificates and lists.
    "wrong-signature": ("what came is not signed by who should have", Deed.OPERATOR),
    "wrong-issuer": ("the office's certificate is of another issuer than the device was made with", Deed.OPERATOR),
    "other-server": ("the certificate is another server's", Deed.OPERATOR),
    "other-usage": ("the certificate is for another use", Deed.OPERATOR),
    "not-yet-valid": ("the certificate is not valid yet", Deed.OPERATOR),
    "expired": ("what the office sent is out of date", Deed.OPERATOR),
    "revoked": ("the office's key was revoked", Deed.OPERATOR),
    "rollback": ("the office used a key that it has replaced", Deed.OPERATOR),
    "list-rollback": ("the office sent an older list of revoked keys than before", Deed.OPERATOR),
    "list-expired": ("the office's list of revoked keys is out of date", Deed.OPERATOR),
    # Answers, registration and entitlements.
    "stale-answer": ("the answer belongs to another question", Deed.AGAIN),
    "wrong-reply": ("the registration's reply is not the server's", Deed.OPERATOR),
    "wrong-proof": ("the server could not prove that it knows this registration", Deed.OPERATOR),
    "other-user": ("the entitlements are another person's", Deed.OPERATOR),
    "other-device": ("what came is for another device", Deed.OPERATOR),
    "stale": ("the office sent older entitlements than before", Deed.OPERATOR),
    # Sets and components.
    "set-rollback": ("the office sent a set out of turn", Deed.OPERATOR),
    "version-rollback": ("a component is older than the one that runs", Deed.OPERATOR),
    "counter-rollback": ("the set is from before a security update that the device has", Deed.OPERATOR),
    "counter-too-far": ("the set's security counter is too far ahead", Deed.OPERATOR),
    "other-hardware": ("a component is for another kind of device", Deed.OPERATOR),
    "missing-dependency": ("a component is missing what it depends on", Deed.OPERATOR),
    "extraneous-dependency": ("a component came that the set does not name", Deed.OPERATOR),
    "mix-and-match": ("what came does not belong together", Deed.OPERATOR),
    "too-large": ("a component or the set is too large", Deed.OPERATOR),
    "wrong-size": ("a component has another size than was signed", Deed.OPERATOR),
    "wrong-digest": ("a component is not the one that was signed", Deed.CONFIGURE),
    "unknown-id": ("the set has a place for a component that there is not", Deed.OPERATOR),
    "duplicate-id": ("a component stands twice in the set", Deed.OPERATOR),
    "missing-entry": ("a component has no place in the set", Deed.OPERATOR),
    "overlap": ("two components have the same place", Deed.OPERATOR),
    "out-of-range": ("a component does not fit its place", Deed.OPERATOR),
    "wrong-order": ("the components' order is wrong", Deed.OPERATOR),
    "wrong-authorisation": ("the authorisation code is not this device's", Deed.OPERATOR),
    "name-in-use": ("two components have the same command", Deed.OPERATOR),
    "out-of-tries": ("the new set did not begin, and the old one runs again", Deed.OPTIONS),
    # Questions that nobody could carry (docs/protocol.md, section 4.3); a PC that tried knows better why.
    "no-office": ("no computer that the device is connected to has an office configured", Deed.DOCTOR),
    "unreachable": ("the office cannot be reached", Deed.DOCTOR),
    "not-answered": ("the office did not answer as one does", Deed.DOCTOR),
    "too-long": ("the office's answer is too long", Deed.OPERATOR),
    # Copies (docs/integrity-protocol.md, section 3): refusals of the office, and why a copy does not run.
    "replayed": ("the office has had this request before", Deed.AGAIN),
    "out-of-sequence": ("the office does not remember what it told this copy last", Deed.RESYNCHRONISE),
    "other-verifier": ("the request is for another validation server", Deed.OPERATOR),
    "stale-challenge": ("the office's challenge is over", Deed.AGAIN),
    "late": ("the request came too late", Deed.AGAIN),
    "iv-used": ("the request's initialisation value is another request's", Deed.AGAIN),
    "letter-used": ("this letter was used before, or is over", Deed.OPERATOR),
    "not-validated": ("the office has not said yet that this copy is genuine", Deed.VALIDATE),
    "waiting": ("the office has not said yet that this copy is genuine, which is waited for", Deed.VALIDATE),
    "lost-identifier": ("the identifier of this copy is not here any more, and another copy is due", Deed.OPERATOR),
    "needs-letter": ("somebody has to type the letter of this copy in", Deed.LETTER),
    "unreadable": ("what is installed cannot be read, and so not be measured", Deed.DOCTOR),
    "invalid": ("what is here is not what the office gave out", Deed.CONFIGURE),
    "cloned": ("there are two of this copy, and nobody can say which one is honest", Deed.OPERATOR),
    "disabled": ("the office has disabled this copy", Deed.OPERATOR),
    # Meters (docs/meter-protocol.md, section 4).
    "no-account": ("the data centre has no such account", Deed.SIGN_UP),
    "not-authenticated": ("the data centre does not know this mailer by that", Deed.SIGN_ON),
    "stopped": ("the meter is stopped", Deed.OPERATOR),
    "insufficient-funds": ("there is not enough postage on the meter", Deed.REFILL),
    "over-limit": ("that is more than the meter may do", Deed.OPERATOR),
    "wrong-origin": ("the mailer does not post there", Deed.OPERATOR),
    "id-used": ("this request was made before, with other content", Deed.AGAIN),
    "payment-refused": ("the payment was refused", Deed.PAYMENT),
    "no-refund": ("there is nothing to give back for it", Deed.OPERATOR),
    "tampering": ("the data centre has found a record that somebody changed or put back", Deed.OPERATOR),
    # What the device finds wrong with a data centre, or with who orders (docs/protocol.md, section 4.4).
    "wrong-request": ("the data centre answered about another request", Deed.AGAIN),
    "wrong-meter": ("the data centre answered about another meter", Deed.OPERATOR),
    "wrong-deed": ("the data centre did something else than was asked for", Deed.OPERATOR),
    "wrong-counter": ("the meter's counter is not what it has to be", Deed.OPERATOR),
    "wrong-amount": ("the data centre took another amount than was asked for", Deed.OPERATOR),
    "wrong-pieces": ("the indicia are not those that were asked for", Deed.OPERATOR),
    "wrong-integrity": ("the data centre wrote down other software than was shown", Deed.OPERATOR),
    "unlawful": ("the meter's registers do not add up", Deed.OPERATOR),
    "broken-chain": ("the meter's records do not follow one another: one was changed or put back", Deed.OPERATOR),
    "unknown-frank": ("the meter franked what this device did not ask for", Deed.OPERATOR),
    "log-rewritten": ("the data centre's log was rewritten since this device looked last", Deed.OPERATOR),
    "not-taken": ("a computer has ordered something, and not taken it yet", Deed.AGAIN),
    "asking": ("it is not known yet what became of it", Deed.AGAIN),
    # Components.
    "no-dependency": ("a component that it needs does not run", Deed.OPTIONS),
    "bad-module": ("the component is no module that the device can run", Deed.OPTIONS),
    "bad-import": ("the component wants what the device does not give", Deed.OPTIONS),
    "bad-export": ("the component has not what the device asks for", Deed.OPTIONS),
    "bad-answer": ("the component's answer makes no sense", Deed.OPTIONS),
    "out-of-fuel": ("the component took too long, and was stopped", Deed.OPTIONS),
    "out-of-memory": ("the component wanted too much memory, and was stopped", Deed.OPTIONS),
    "out-of-stack": ("the component went too deep, and was stopped", Deed.OPTIONS),
    "trap": ("the component failed", Deed.OPTIONS),
    "self-test": ("the component failed its self test", Deed.OPTIONS),
    # The device itself.
    "device-error": ("the device failed", Deed.DOCTOR),
}
