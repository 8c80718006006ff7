"""How the states of copies read, and what helps."""

from typing import Final

from fob_daemon.control.office_words import refusal_named

STATUS: Final = "fob integrity status"
VALIDATE: Final = "fob integrity validate"
# States of a copy of which there is nothing to say.
GOOD: Final = frozenset({"valid", "needs-none"})
# What runs all the same while something is the matter: until its first VAL_OK, or by grace.
GOES_ON: Final = GOOD | {"waiting"}


def refusal_words(name: str, program: str = "") -> tuple[str, str]:
    """What a state or a reason of a program's copy means, with its name behind it, and the next command."""
    found = refusal_named(name, program)
    if found is None:
        return name, STATUS
    _, words, deed = found
    return f"{words} ({name})", deed


def beyond_the_doctor(deed: str) -> str:
    """What helps, said by the doctor: to look again for itself is none."""
    return VALIDATE if deed == "fob doctor" else deed
