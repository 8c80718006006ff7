"""What the refusals of offices, devices and components mean to a person, by their names. One table.

Names are those of docs/office-protocol.md: sections 3 (the office), 2 and 6.3 (the device), 6.4 and 6.5 (components),
of docs/integrity-protocol.md, section 3 (copies), of docs/meter-protocol.md, section 4 (meters), and of
docs/protocol.md, sections 4.3 (the relay) and 4.4 (the mailer's device).
"""

from enum import Enum, auto
from typing import Final


class Remedy(Enum):
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
MEANINGS: Final[dict[str, tuple[str, Remedy]]] = {
    # The office.
    "malformed": ("what was sent breaks a rule of the protocol", Remedy.DOCTOR),
    "unavailable": ("the office cannot answer now", Remedy.LATER),
    "name-taken": ("somebody else is registered there by that name", Remedy.OTHER_NAME),
    "fields-wrong": ("the office does not take what was filled in", Remedy.OTHER_FIELDS),
    "out-of-date": ("the office has changed what it asks for", Remedy.AGAIN),
    "not-proved": ("the office does not know this registration", Remedy.REGISTER),
    "locked": ("too many wrong proofs: the office has locked this registration for a minute", Remedy.LATER),
    "no-session": ("the office has ended the session", Remedy.AGAIN),
    "out-of-order": ("a message of the session came out of turn, and the session has ended", Remedy.AGAIN),
    "not-entitled": ("this person, or this computer, may not use that", Remedy.ENTITLED),
    "denied": ("the office does not serve this device: it does not know it, or has no order for it", Remedy.OPERATOR),
    "no-content": ("the office has no such component any more", Remedy.CONFIGURE),
    "lacking": ("an option that runs has no release that holds any more, so nothing else may change", Remedy.OPERATOR),
    # The device, of what an office sent: certificates and lists.
    "wrong-signature": ("what came is not signed by who should have", Remedy.OPERATOR),
    "wrong-issuer": ("the office's certificate is of another issuer than the device was made with", Remedy.OPERATOR),
    "other-server": ("the certificate is another server's", Remedy.OPERATOR),
    "other-usage": ("the certificate is for another use", Remedy.OPERATOR),
    "not-yet-valid": ("the certificate is not valid yet", Remedy.OPERATOR),
    "expired": ("what the office sent is out of date", Remedy.OPERATOR),
    "revoked": ("the office's key was revoked", Remedy.OPERATOR),
    "rollback": ("the office used a key that it has replaced", Remedy.OPERATOR),
    "list-rollback": ("the office sent an older list of revoked keys than before", Remedy.OPERATOR),
    "list-expired": ("the office's list of revoked keys is out of date", Remedy.OPERATOR),
    # Answers, registration and entitlements.
    "stale-answer": ("the answer belongs to another question", Remedy.AGAIN),
    "wrong-reply": ("the registration's reply is not the server's", Remedy.OPERATOR),
    "wrong-proof": ("the server could not prove that it knows this registration", Remedy.OPERATOR),
    "other-user": ("the entitlements are another person's", Remedy.OPERATOR),
    "other-device": ("what came is for another device", Remedy.OPERATOR),
    "stale": ("the office sent older entitlements than before", Remedy.OPERATOR),
    # Sets and components.
    "set-rollback": ("the office sent a set out of turn", Remedy.OPERATOR),
    "version-rollback": ("a component is older than the one that runs", Remedy.OPERATOR),
    "counter-rollback": ("the set is from before a security update that the device has", Remedy.OPERATOR),
    "counter-too-far": ("the set's security counter is too far ahead", Remedy.OPERATOR),
    "other-hardware": ("a component is for another kind of device", Remedy.OPERATOR),
    "missing-dependency": ("a component is missing what it depends on", Remedy.OPERATOR),
    "extraneous-dependency": ("a component came that the set does not name", Remedy.OPERATOR),
    "mix-and-match": ("what came does not belong together", Remedy.OPERATOR),
    "too-large": ("a component or the set is too large", Remedy.OPERATOR),
    "wrong-size": ("a component has another size than was signed", Remedy.OPERATOR),
    "wrong-digest": ("a component is not the one that was signed", Remedy.CONFIGURE),
    "unknown-id": ("the set has a place for a component that there is not", Remedy.OPERATOR),
    "duplicate-id": ("a component stands twice in the set", Remedy.OPERATOR),
    "missing-entry": ("a component has no place in the set", Remedy.OPERATOR),
    "overlap": ("two components have the same place", Remedy.OPERATOR),
    "out-of-range": ("a component does not fit its place", Remedy.OPERATOR),
    "wrong-order": ("the components' order is wrong", Remedy.OPERATOR),
    "wrong-authorisation": ("the authorisation code is not this device's", Remedy.OPERATOR),
    "name-in-use": ("two components have the same command", Remedy.OPERATOR),
    "out-of-tries": ("the new set did not begin, and the old one runs again", Remedy.OPTIONS),
    # Questions that nobody could carry (docs/protocol.md, section 4.3); a PC that tried knows better why.
    "no-office": ("no computer that the device is connected to has an office configured", Remedy.DOCTOR),
    "unreachable": ("the office cannot be reached", Remedy.DOCTOR),
    "not-answered": ("the office did not answer as one does", Remedy.DOCTOR),
    "too-long": ("the office's answer is too long", Remedy.OPERATOR),
    # Copies (docs/integrity-protocol.md, section 3): refusals of the office, and why a copy does not run.
    "replayed": ("the office has had this request before", Remedy.AGAIN),
    "out-of-sequence": ("the office does not remember what it told this copy last", Remedy.RESYNCHRONISE),
    "other-verifier": ("the request is for another validation server", Remedy.OPERATOR),
    "stale-challenge": ("the office's challenge is over", Remedy.AGAIN),
    "late": ("the request came too late", Remedy.AGAIN),
    "iv-used": ("the request's initialisation value is another request's", Remedy.AGAIN),
    "letter-used": ("this letter was used before, or is over", Remedy.OPERATOR),
    "not-validated": ("the office has not said yet that this copy is genuine", Remedy.VALIDATE),
    "waiting": ("the office has not said yet that this copy is genuine, which is waited for", Remedy.VALIDATE),
    "lost-identifier": ("the identifier of this copy is not here any more, and another copy is due", Remedy.OPERATOR),
    "needs-letter": ("somebody has to type the letter of this copy in", Remedy.LETTER),
    "unreadable": ("what is installed cannot be read, and so not be measured", Remedy.DOCTOR),
    "invalid": ("what is here is not what the office gave out", Remedy.CONFIGURE),
    "cloned": ("there are two of this copy, and nobody can say which one is honest", Remedy.OPERATOR),
    "disabled": ("the office has disabled this copy", Remedy.OPERATOR),
    # Meters (docs/meter-protocol.md, section 4).
    "no-account": ("the data centre has no such account", Remedy.SIGN_UP),
    "not-authenticated": ("the data centre does not know this mailer by that", Remedy.SIGN_ON),
    "stopped": ("the meter is stopped", Remedy.OPERATOR),
    "insufficient-funds": ("there is not enough left on the meter", Remedy.REFILL),
    "over-limit": ("that is more than the meter may do", Remedy.OPERATOR),
    "wrong-origin": ("the mailer does not post there", Remedy.OPERATOR),
    "id-used": ("this request was made before, with other content", Remedy.AGAIN),
    "payment-refused": ("the payment was refused", Remedy.PAYMENT),
    "no-refund": ("there is nothing to give back for it", Remedy.OPERATOR),
    "tampering": ("the data centre has found a record that somebody changed or put back", Remedy.OPERATOR),
    # What the device finds wrong with a data centre, or with who orders (docs/protocol.md, section 4.4).
    "wrong-request": ("the data centre answered about another request", Remedy.AGAIN),
    "wrong-meter": ("the data centre answered about another meter", Remedy.OPERATOR),
    "wrong-deed": ("the data centre did something else than was asked for", Remedy.OPERATOR),
    "wrong-counter": ("the meter's counter is not what it has to be", Remedy.OPERATOR),
    "wrong-fee": ("the data centre asks another price for signing up than it named", Remedy.OPERATOR),
    "wrong-amount": ("the data centre took another amount than was asked for", Remedy.OPERATOR),
    "wrong-pieces": ("the indicia are not those that were asked for", Remedy.OPERATOR),
    "wrong-integrity": ("the data centre wrote down other software than was shown", Remedy.OPERATOR),
    "unlawful": ("the meter's registers do not add up", Remedy.OPERATOR),
    "broken-chain": ("the meter's records do not follow one another: one was changed or put back", Remedy.OPERATOR),
    "unknown-frank": ("the meter franked what this device did not ask for", Remedy.OPERATOR),
    "done-twice": ("the meter did twice what this device asked once", Remedy.OPERATOR),
    "log-rewritten": ("the data centre's log was rewritten since this device looked last", Remedy.OPERATOR),
    "not-taken": ("a computer has ordered something, and not taken it yet", Remedy.AGAIN),
    "asking": ("it is not known yet what became of it", Remedy.AGAIN),
    # Components.
    "no-dependency": ("a component that it needs does not run", Remedy.OPTIONS),
    "bad-module": ("the component is no module that the device can run", Remedy.OPTIONS),
    "bad-import": ("the component wants what the device does not give", Remedy.OPTIONS),
    "bad-export": ("the component has not what the device asks for", Remedy.OPTIONS),
    "bad-answer": ("the component's answer makes no sense", Remedy.OPTIONS),
    "out-of-fuel": ("the component took too long, and was stopped", Remedy.OPTIONS),
    "out-of-memory": ("the component wanted too much memory, and was stopped", Remedy.OPTIONS),
    "out-of-stack": ("the component went too deep, and was stopped", Remedy.OPTIONS),
    "trap": ("the component failed", Remedy.OPTIONS),
    "self-test": ("the component failed its self test", Remedy.OPTIONS),
    # The device itself.
    "device-error": ("the device failed", Remedy.DOCTOR),
}
