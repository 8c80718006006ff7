"""How a device's question gets to its back office through a PC (docs/protocol.md, section 4.3). No I/O in here."""

import re
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final

from fob_protocol.at.values import Values
from fob_protocol.errors import AtSyntaxError
from fob_protocol.office.limits import QUESTION_LIMIT

# RFC 9052, section 11.3: of a question and of its answer.
MEDIA_TYPE: Final = 'application/cose; cose-type="cose-encrypt0"'

# Seconds that a PC has for a question; then the next one who asks is given it.
RELAY_TIME: Final = 60.0

# Who brought the last answer has the next question with its announcement, and for so long alone.
ANNOUNCED_TIME: Final = 10.0
# Octets of such an announcement: it goes in one frame, sealed.
ANNOUNCED_LIMIT: Final = 640

# The last part of an address, so it holds nothing that leads elsewhere. Those that there are: office-protocol.md.
_SERVICE: Final = re.compile(r"[a-z]{1,16}")

# Said of a question to a person, in characters; a name of a component is shorter.
RELAY_WORDS_LIMIT: Final = 128


class RelayStatus(IntEnum):
    """What became of a question, as the PC tells the device."""

    ANSWERED = 0
    NO_OFFICE = 1
    UNREACHABLE = 2
    # An HTTP status other than 200, or an answer of another type.
    NOT_ANSWERED = 3
    TOO_LONG = 4


@dataclass(frozen=True, slots=True)
class Waiting:
    """A question that waits at the device, and for people what for: `done` of `total` steps, 0 of 0 when unknown."""

    number: int
    service: str
    question: bytes = field(repr=False)
    words: str = ""
    done: int = 0
    total: int = 0

    def values(self) -> Values:
        """The line of an answer."""
        return self.number, self.service, self.question, self.words, self.done, self.total

    @classmethod
    def from_values(cls, values: Values) -> "Waiting":
        """Raises AtSyntaxError."""
        match values:
            case (int(number), str(service), bytes(question), str(words), int(done), int(total)):
                pass
            case _:
                raise AtSyntaxError("a question to relay has number, service, block, words, done and total")
        if _SERVICE.fullmatch(service) is None:
            raise AtSyntaxError("a service is a name of 1 to 16 small letters")
        if not 0 < len(question) <= QUESTION_LIMIT:
            raise AtSyntaxError(f"a question has 1 to {QUESTION_LIMIT} octets")
        return cls(number, service, question, words[:RELAY_WORDS_LIMIT], done, total)
