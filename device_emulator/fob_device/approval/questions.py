"""What the device asks its person, and who answers."""

from dataclasses import dataclass, field
from enum import Enum
from typing import Final, Protocol

from fob_device.approval.askers import Askers
from fob_device.approval.callers import NOBODY
from fob_device.approval.words import for_whom, words_of
from fob_device.pad.pin_pad import PinPad
from fob_protocol.caller import Caller


class Operation(Enum):
    """What a question is about."""

    SIGN = "sign"
    DECRYPT = "decrypt"
    DERIVE = "derive"
    # With the meter of a data centre.
    FRANK = "frank"
    LOAD = "load"
    REFUND = "refund"


@dataclass(frozen=True, slots=True)
class Question:
    """A key is about to be used: for which operation, by which computer and which program of it.

    The label is as some computer stored it; `key` is the object's handle, since two keys may have one label. `pc_key`
    is the computer, its name only what it is called: two computers may have one name. Of a meter the label is its
    serial number, and `deed` says in plain words what is done; no answer to that is remembered.
    """

    operation: Operation
    key_label: str
    pc_name: str = field(compare=False)
    caller: Caller = NOBODY
    key: int = 0
    pc_key: bytes = field(default=b"", repr=False)
    deed: str = ""

    @property
    def can_be_remembered(self) -> bool:
        """False for what is asked always: money, forwarded requests, and those of programs that nobody knows."""
        return not self.deed and bool(self.caller.programs) and not self.caller.is_forwarded

    def words(self, count: int = 1) -> str:
        """One line for the screen and for the PC's narration; `count` requests ask the same."""
        if self.deed:
            return for_whom(self.deed, self.pc_name, self.caller, count)
        return words_of(self.operation.value, self.key_label, self.pc_name, self.caller, count)


@dataclass(slots=True, eq=False)
class Prompt:
    """A question on the screen: for one request, or for several `askers` that ask the same and get one answer.

    `until` (the loop's clock): when the last of them is out of time. `again`: why it is asked though it was allowed
    before. Whoever shows it hears by `askers.changed` that there are more or fewer, or that they are away.
    """

    question: Question
    until: float = 0.0
    again: str = ""
    askers: Askers = field(default_factory=Askers)

    def words(self) -> str:
        """The question in words, with the count, and why it is asked again."""
        return self.question.words(len(self.askers)) + (f" (asked again: {self.again})" if self.again else "")


class DecidedBy(Enum):
    """Whose answer it is."""

    TAP = "tap"
    GRANT = "grant"
    SETTING = "setting"
    RULE = "rule"


@dataclass(frozen=True, slots=True)
class Decision:
    """An answer; a yes may be remembered for so many seconds, in which the same is not asked again."""

    is_yes: bool
    remember: float = 0.0
    by: DecidedBy = DecidedBy.TAP


YES: Final = Decision(True)
NO: Final = Decision(False)
GRANTED: Final = Decision(True, by=DecidedBy.GRANT)


class Decider(PinPad, Protocol):
    """Answers for the device's person."""

    def is_silent(self, question: Question) -> bool:
        """True when the answer is known without asking anybody."""

    async def decide(self, prompt: Prompt) -> Decision:
        """Yes or no; waits as long as the person thinks. Cancelled when the question is withdrawn."""

    @property
    def pairing_open(self) -> bool:
        """True while new computers may pair."""

    async def compare(self, code: str) -> bool:
        """The person's word whether the other side shows the same code."""
