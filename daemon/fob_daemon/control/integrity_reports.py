"""This computer's own copy of fobd as the control socket shows it. Light: the command line imports it."""

from dataclasses import dataclass
from typing import Final, Protocol

# What offices know this computer's daemon by.
OWN_PROGRAM: Final = "fobd"


@dataclass(frozen=True, slots=True)
class OwnCopyReport:
    """`state` is as a device's copies have it, empty before somebody enrols. `copy` is its number in hexadecimal.

    `validated` and `until`: of the last VAL_OK, in seconds since 1970, None before it. `enabled`: keys are used; `why`
    explains what is the matter, also while they still are, and `next` is a command that helps; empty where nothing is.
    """

    program: str
    version: str
    enrolled: bool
    state: str
    reason: str
    copy: str
    validated: int | None
    until: int | None
    enabled: bool
    why: str
    next: str


class OwnIntegrity(Protocol):
    """Each raises ControlError to refuse."""

    def report(self) -> OwnCopyReport:
        """As it is now."""

    async def enrol(self, letter: str, issuer: bytes | None, certificate: bytes | None) -> OwnCopyReport:
        """With a letter of the office; the configuration's issuer and certificate where none are given."""

    async def validate(self) -> OwnCopyReport:
        """Measure now, and ask."""

    def ticket(self) -> bytes:
        """The last VAL_OK."""

    def present(self, audience: str, nonce: bytes) -> bytes:
        """The ticket with the proof that it is this computer's."""
