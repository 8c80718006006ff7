"""Who takes a question to the office and brings its answer: a paired PC, or the device's own network."""

from enum import StrEnum
from typing import Protocol

from fob_device.office.progress import Told
from fob_protocol.relay import RelayStatus


class NotCarried(StrEnum):
    """Why there is no answer, by name."""

    NO_OFFICE = "no-office"
    UNREACHABLE = "unreachable"
    NOT_ANSWERED = "not-answered"
    TOO_LONG = "too-long"


BY_STATUS = {
    RelayStatus.NO_OFFICE: NotCarried.NO_OFFICE,
    RelayStatus.UNREACHABLE: NotCarried.UNREACHABLE,
    RelayStatus.NOT_ANSWERED: NotCarried.NOT_ANSWERED,
    RelayStatus.TOO_LONG: NotCarried.TOO_LONG,
}


class NotCarriedError(Exception):
    """A question came to nothing; the same octets may be carried again, after `seconds` if the office said so."""

    def __init__(self, why: NotCarried, seconds: int | None = None) -> None:
        self.why = why
        self.seconds = seconds
        # Whether each time somebody at the office's address said that it is no question: so nothing was done.
        self.is_unheard = False
        super().__init__(why)


class Carrier(Protocol):
    """One question at a time."""

    async def carry(self, service: str, question: bytes, told: Told) -> bytes:
        """The sealed answer. Raises NotCarriedError; cancelled, the question is not carried any more."""

    def judged(self, *, is_answer: bool) -> None:
        """Whether what `carry` gave last is an answer to that question, also a no."""

    def rest(self) -> None:
        """No other question follows at once."""

    async def close(self) -> None:
        """The device is switched off."""
