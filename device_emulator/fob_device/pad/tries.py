"""How many wrong PINs are left, in words for the person at the pad."""

from typing import Final

from fob_protocol.pkcs11.constants import Cku

# What sets a PIN, on a paired computer.
SET_PIN: Final = "pkcs11-tool --login --login-type so --init-pin"
USER_BLOCKED: Final = (
    f"The PIN is blocked. The security officer's PIN sets a new one, from a paired computer: {SET_PIN}"
)
OFFICER_BLOCKED: Final = "The security officer's PIN is blocked, for good."
NO_PIN: Final = f"No PIN is set. The security officer sets one, from a paired computer: {SET_PIN}"


def wrong_words(user: Cku, tries_left: int) -> str:
    """What the pad says to a wrong PIN."""
    if tries_left == 0:
        return blocked_words(user)
    return f"Wrong PIN, {tries_words(tries_left)}"


def tries_words(tries_left: int) -> str:
    """`2 tries left`; the last one says what comes after it."""
    return "1 try left, then the PIN is blocked" if tries_left == 1 else f"{tries_left} tries left"


def blocked_words(user: Cku) -> str:
    """What to do when there is no try left."""
    return USER_BLOCKED if user is Cku.USER else OFFICER_BLOCKED
