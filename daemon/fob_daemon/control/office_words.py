"""What the refusals of offices, devices and components mean to a person, by their names. One table.

Names are those of docs/office-protocol.md: sections 3 (the office), 2 and 6.3 (the device), 6.5 (components).
"""

from typing import Final

_STATUS: Final = "fob office status"
_LATER: Final = "the same command in a moment"
_OPERATOR: Final = "ask who runs the office"
_OPTIONS: Final = "fob options list"

# Name: what is the matter, and the next deed.
REFUSALS: Final[dict[str, tuple[str, str]]] = {
    # The office.
    "malformed": ("what was sent breaks a rule of the protocol", "fob doctor"),
    "unavailable": ("the office cannot answer now", _LATER),
    "name-taken": ("somebody else is registered there by that name", "the same command with another --name"),
    "fields-wrong": ("the office does not take what was filled in", "the same command, filled in otherwise"),
    "out-of-date": ("the office has changed what it asks for", "the same command again"),
    "not-proved": ("the office does not know this registration", "fob office register SERVER"),
    "locked": ("too many wrong proofs: the office has locked this registration for a minute", _LATER),
    "no-session": ("the office has ended the session", "the same command again"),
    "out-of-order": ("a message of the session came out of turn, and the session has ended", "the same command again"),
    "not-entitled": ("this person, or this computer, may not use that", "fob office entitled SERVER"),
    "denied": ("the office does not configure this device: it has no order for it, or does not know it", _OPERATOR),
    "no-content": ("the office has no such component any more", "fob office configure"),
    # The device, of what an office sent: certificates and lists.
    "wrong-signature": ("what came is not signed by who should have", _OPERATOR),
    "wrong-issuer": ("the office's certificate is of another issuer than the device was made with", _OPERATOR),
    "other-server": ("the certificate is another server's", _OPERATOR),
    "other-usage": ("the certificate is for another use", _OPERATOR),
    "not-yet-valid": ("the certificate is not valid yet", _OPERATOR),
    "expired": ("what the office sent is out of date", _OPERATOR),
    "revoked": ("the office's key was revoked", _OPERATOR),
    "rollback": ("the office used a key that it has replaced", _OPERATOR),
    "list-rollback": ("the office sent an older list of revoked keys than before", _OPERATOR),
    "list-expired": ("the office's list of revoked keys is out of date", _OPERATOR),
    # Answers, registration and entitlements.
    "stale-answer": ("the answer belongs to another question", "the same command again"),
    "wrong-reply": ("the registration's reply is not the server's", _OPERATOR),
    "wrong-proof": ("the server could not prove that it knows this registration", _OPERATOR),
    "other-user": ("the entitlements are another person's", _OPERATOR),
    "other-device": ("what came is for another device", _OPERATOR),
    "stale": ("the office sent older entitlements than before", _OPERATOR),
    # Sets and components.
    "set-rollback": ("the office sent a set out of turn", _OPERATOR),
    "version-rollback": ("a component is older than the one that runs", _OPERATOR),
    "counter-rollback": ("the set is from before a security update that the device has", _OPERATOR),
    "counter-too-far": ("the set's security counter is too far ahead", _OPERATOR),
    "other-hardware": ("a component is for another kind of device", _OPERATOR),
    "missing-dependency": ("a component is missing what it depends on", _OPERATOR),
    "extraneous-dependency": ("a component came that the set does not name", _OPERATOR),
    "mix-and-match": ("what came does not belong together", _OPERATOR),
    "too-large": ("a component or the set is too large", _OPERATOR),
    "wrong-size": ("a component has another size than was signed", _OPERATOR),
    "wrong-digest": ("a component is not the one that was signed", "fob office configure"),
    "unknown-id": ("the set has a place for a component that there is not", _OPERATOR),
    "duplicate-id": ("a component stands twice in the set", _OPERATOR),
    "missing-entry": ("a component has no place in the set", _OPERATOR),
    "overlap": ("two components have the same place", _OPERATOR),
    "out-of-range": ("a component does not fit its place", _OPERATOR),
    "wrong-order": ("the components' order is wrong", _OPERATOR),
    "wrong-authorisation": ("the authorisation code is not this device's", _OPERATOR),
    "name-in-use": ("two components have the same command", _OPERATOR),
    "out-of-tries": ("the new set did not begin, and the old one runs again", _OPTIONS),
    # Questions that nobody could carry (docs/protocol.md, section 4.3); a PC that tried knows better why.
    "no-office": ("no computer that the device is connected to has an office configured", "fob doctor"),
    "unreachable": ("the office cannot be reached", "fob doctor"),
    "not-answered": ("the office did not answer as one does", "fob doctor"),
    "too-long": ("the office's answer is too long", _OPERATOR),
    # Components.
    "bad-module": ("the component is no module that the device can run", _OPTIONS),
    "bad-import": ("the component wants what the device does not give", _OPTIONS),
    "bad-export": ("the component has not what the device asks for", _OPTIONS),
    "bad-answer": ("the component's answer makes no sense", _OPTIONS),
    "out-of-fuel": ("the component took too long, and was stopped", _OPTIONS),
    "out-of-memory": ("the component wanted too much memory, and was stopped", _OPTIONS),
    "out-of-stack": ("the component went too deep, and was stopped", _OPTIONS),
    "trap": ("the component failed", _OPTIONS),
    "self-test": ("the component failed its self test", _OPTIONS),
}


def refusal_named(reason: str) -> tuple[str, str, str] | None:
    """Name, words and next deed, when a device's reason begins with the name of a refusal."""
    name = reason.partition(":")[0].strip()
    found = REFUSALS.get(name)
    return None if found is None else (name, *found)
