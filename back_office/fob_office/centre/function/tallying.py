"""What a function server has done since it began, for operators: no names, no amounts."""

from collections import Counter
from typing import Final

from fob_office.centre.commands.function import Tallied
from fob_protocol.metering.requests import (
    AboutRequest,
    FrankRequest,
    HistoryRequest,
    LoadRequest,
    RefundRequest,
    SignOn,
    SignUp,
    Terms,
)
from fob_protocol.office.message import Message
from fob_protocol.office.refusals import Refusal

# All that is counted: nothing that a device sends makes a new word.
WORDS: Final[dict[type[Message], str]] = {
    Terms: "terms",
    SignUp: "sign-up",
    SignOn: "sign-on",
    FrankRequest: "frank",
    LoadRequest: "load",
    RefundRequest: "refund",
    AboutRequest: "about",
    HistoryRequest: "history",
}


class Tallying:
    """Of one process."""

    def __init__(self) -> None:
        self._done: Counter[str] = Counter()
        self._refused: Counter[str] = Counter()
        self._pieces = 0

    def did(self, message: Message) -> None:
        """It was answered, and not refused."""
        self._done[WORDS[type(message)]] += 1
        if isinstance(message, FrankRequest):
            self._pieces += len(message.pieces)

    def refused(self, code: Refusal) -> None:
        """An answer that says no."""
        self._refused[code.value] += 1

    def tallied(self) -> Tallied:
        """So far."""
        return Tallied(dict(self._done), self._pieces, dict(self._refused))
