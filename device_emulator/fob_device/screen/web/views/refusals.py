"""What is in the way at the back office, as a sentence, and what the person at the device can do about it."""

from typing import Final

from fob_device.screen.web.words import first_upper
from fob_protocol.office.refusal_words import MEANINGS, Remedy

REMEDIES: Final = {
    Remedy.AGAIN: "Try again.",
    Remedy.LATER: "Try again in a moment.",
    Remedy.OPERATOR: "Ask who runs the office.",
    Remedy.DOCTOR: "On the computer, type: fob doctor",
    Remedy.CONFIGURE: "Tap: Configure now.",
    Remedy.OPTIONS: "Tap: Look for upgrades. If there are none, ask who runs the office.",
    Remedy.REGISTER: "Register again.",
    Remedy.OTHER_NAME: "Take another name.",
    Remedy.OTHER_FIELDS: "Fill it in otherwise.",
    Remedy.ENTITLED: "Ask who runs the office for it.",
    Remedy.LETTER: "Type its letter in.",
    Remedy.VALIDATE: "Try again in a moment.",
    Remedy.RESYNCHRONISE: "Ask who runs the office to resynchronise the copy.",
    Remedy.SIGN_UP: "Sign up for a meter first.",
    Remedy.SIGN_ON: "Sign on again, with name and password.",
    Remedy.REFILL: "Load the meter.",
    Remedy.PAYMENT: "Look at how the meter is paid for.",
}


def sentence(refusal: str, why: str = "") -> str:
    """Of a refusal by its name, which stands behind it, for whoever is asked. `why`: what is known beyond the name."""
    if refusal not in MEANINGS:
        return f"{first_upper(why or refusal)}."
    words, remedy = MEANINGS[refusal]
    return f"{first_upper(why or words)} ({refusal}). {REMEDIES[remedy]}"
