"""What a device's person has allowed this computer's programs for a while (docs/protocol.md, section 4.1)."""

from dataclasses import dataclass
from typing import Final

from fob_daemon.device.answers import reading
from fob_protocol.at.answer import Answer
from fob_protocol.at.values import Values
from fob_protocol.caller import GRANTS_LIMIT
from fob_protocol.errors import AtSyntaxError

# In place of a grant's number.
ALL_GRANTS: Final = 0


@dataclass(frozen=True, slots=True)
class Grant:
    """A remembered yes: its number, the seconds that it holds still, what it is for."""

    number: int
    seconds: int
    words: str


def read_grants(answer: Answer) -> list[Grant]:
    """The answer of +FOBGRANTS. Raises CkrError."""
    with reading():
        if len(answer.lines) > GRANTS_LIMIT:
            raise AtSyntaxError(f"more than {GRANTS_LIMIT} grants")
        return [_grant(line) for line in answer.lines]


def _grant(line: Values) -> Grant:
    match line:
        case (int(number), int(seconds), str(words)) if number > 0:
            return Grant(number, seconds, words)
    raise AtSyntaxError("a grant is a number, seconds and words")
