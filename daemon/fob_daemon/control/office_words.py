"""What the refusals of offices, devices and components mean to a person at this computer: with the next command."""

import shlex
from typing import Final

from fob_protocol.names import plain_name
from fob_protocol.office.refusal_words import MEANINGS, Remedy

COMMANDS: Final = {
    Remedy.AGAIN: "the same command again",
    Remedy.LATER: "the same command in a moment",
    Remedy.OPERATOR: "ask who runs the office",
    Remedy.DOCTOR: "fob doctor",
    Remedy.CONFIGURE: "fob office configure",
    Remedy.OPTIONS: "fob options list",
    Remedy.REGISTER: "fob office register SERVER",
    Remedy.OTHER_NAME: "the same command with another --name",
    Remedy.OTHER_FIELDS: "the same command, filled in otherwise",
    Remedy.ENTITLED: "fob office entitled SERVER",
    Remedy.LETTER: "fob integrity letter PROGRAM",
    Remedy.VALIDATE: "fob integrity validate",
    Remedy.RESYNCHRONISE: "ask who runs the office: fob-office copy resynchronise",
    Remedy.SIGN_UP: "fob meter sign-up NAME --origin POSTCODE",
    Remedy.SIGN_ON: "fob meter sign-on NAME",
    Remedy.REFILL: "fob meter refill AMOUNT",
    Remedy.PAYMENT: "ask who pays for the meter, then fob meter refill AMOUNT",
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
    """Name, words and what helps, when a device's reason begins with the name of a refusal.

    `subject` is the server or the program that it is about.
    """
    name, _, detail = (part.strip() for part in reason.partition(":"))
    if name not in MEANINGS:
        return None
    program, _, cause = detail.partition(" ")
    if name not in _OF_COPIES or not program:
        words, remedy = MEANINGS[name]
        return name, words, _next(name, remedy, subject)
    name = cause if cause in MEANINGS else name
    words, remedy = MEANINGS[name]
    words = words if program == subject else f"'{plain_name(program)}' is not enabled: {words}"
    return name, words, _next(name, remedy, program)


def _next(name: str, remedy: Remedy, subject: str) -> str:
    if subject == _DEVICE_PROGRAM and name in _OF_FILES:
        return _INSTALL
    head, _, last = COMMANDS[remedy].rpartition(" ")
    return f"{head} {shlex.quote(subject)}" if subject and last in _SUBJECTS else COMMANDS[remedy]
