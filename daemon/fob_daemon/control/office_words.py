"""What the refusals of offices, devices and components mean to a person at this computer: with the next command."""

import shlex
from typing import Final

from fob_protocol.names import plain_name
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
# Why a copy is not enabled: the program stands behind it, and a reason by name where there is one.
_OF_COPIES: Final = ("not-validated", "invalid", "cloned", "disabled")
# The phone's own program, which no office brings: what is wrong with its files.
_DEVICE_PROGRAM: Final = "fob-device"
_OF_FILES: Final = ("invalid", "unreadable")
_INSTALL: Final = "install the phone's program anew, restart it, and then: fob integrity validate fob-device"


def refusal_named(reason: str, subject: str = "") -> tuple[str, str, str] | None:
    """Name, words and next deed, when a device's reason begins with the name of a refusal.

    `subject` is the server or the program that it is about.
    """
    name, _, detail = (part.strip() for part in reason.partition(":"))
    if name not in MEANINGS:
        return None
    program, _, cause = detail.partition(" ")
    if name not in _OF_COPIES or not program:
        words, deed = MEANINGS[name]
        return name, words, _next(name, deed, subject)
    name = cause if cause in MEANINGS else name
    words, deed = MEANINGS[name]
    words = words if program == subject else f"'{plain_name(program)}' is not enabled: {words}"
    return name, words, _next(name, deed, program)


def _next(name: str, deed: Deed, subject: str) -> str:
    if subject == _DEVICE_PROGRAM and name in _OF_FILES:
        return _INSTALL
    head, _, last = COMMANDS[deed].rpartition(" ")
    return f"{head} {shlex.quote(subject)}" if subject and last in _SUBJECTS else COMMANDS[deed]
