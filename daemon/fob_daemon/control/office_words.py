"""What the refusals of offices, devices and components mean to a person at this computer: with the next command."""

import shlex
from typing import Final

from fob_protocol.office.refusal_words import MEANINGS, Deed

COMMANDS: Final = {
    Deed.AGAIN: "the same command again",
    Deed.LATER: "the same command in a moment",
    Deed.OPERATOR: "ask who runs the office",
    Deed.DOCTOR: "fob doctor",
    Deed.CONFIGURE: "fob office configure",
    Deed.OPTIONS: "fob options list",
    Deed.REGISTER: "fob office register SERVER",
    Deed.OTHER_NAME: "the same command with another --name",
    Deed.OTHER_FIELDS: "the same command, filled in otherwise",
    Deed.ENTITLED: "fob office entitled SERVER",
    Deed.LETTER: "fob integrity letter PROGRAM",
    Deed.VALIDATE: "fob integrity validate",
    Deed.RESYNCHRONISE: "ask who runs the office: fob-office copy resynchronise",
    Deed.SIGN_UP: "fob meter sign-up",
    Deed.SIGN_ON: "fob meter sign-on",
    Deed.REFILL: "fob meter refill",
    Deed.PAYMENT: "ask who pays for the meter, then fob meter refill",
}


# What a command is about, where it is not known.
_SUBJECTS: Final = ("SERVER", "PROGRAM")


def refusal_named(reason: str, subject: str = "") -> tuple[str, str, str] | None:
    """Name, words and next deed, when a device's reason begins with the name of a refusal.

    `subject` is the server or the program that it is about.
    """
    name = reason.partition(":")[0].strip()
    if name not in MEANINGS:
        return None
    words, deed = MEANINGS[name]
    return name, words, _about(COMMANDS[deed], subject)


def _about(command: str, subject: str) -> str:
    head, _, last = command.rpartition(" ")
    return f"{head} {shlex.quote(subject)}" if subject and last in _SUBJECTS else command
