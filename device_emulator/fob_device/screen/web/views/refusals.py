"""What is in the way at the back office, as a sentence, and what the person at the device can do about it."""

from typing import Final

from fob_device.screen.web.words import first_upper
from fob_protocol.office.refusal_words import MEANINGS, Deed

DEEDS: Final = {
    Deed.AGAIN: "Try again.",
    Deed.LATER: "Try again in a moment.",
    Deed.OPERATOR: "Ask who runs the office.",
    Deed.DOCTOR: "On the computer, type: fob doctor",
    Deed.CONFIGURE: "Tap: Configure now.",
    Deed.OPTIONS: "Tap: Look for upgrades. If there are none, ask who runs the office.",
    Deed.REGISTER: "Register again.",
    Deed.OTHER_NAME: "Take another name.",
    Deed.OTHER_FIELDS: "Fill it in otherwise.",
    Deed.ENTITLED: "Ask who runs the office for it.",
    Deed.LETTER: "Type its letter in.",
    Deed.VALIDATE: "Try again in a moment.",
    Deed.RESYNCHRONISE: "Ask who runs the office to resynchronise the copy.",
    Deed.SIGN_UP: "Sign up for a meter first.",
    Deed.SIGN_ON: "Sign on again, with name and password.",
    Deed.REFILL: "Load postage.",
    Deed.PAYMENT: "Look at how the meter is paid for.",
}


def sentence(refusal: str, why: str = "") -> str:
    """Of a refusal by its name, which stands behind it, for whoever is asked. `why`: what is known beyond the name."""
    if refusal not in MEANINGS:
        return f"{first_upper(why or refusal)}."
    words, deed = MEANINGS[refusal]
    return f"{first_upper(why or words)} ({refusal}). {DEEDS[deed]}"
