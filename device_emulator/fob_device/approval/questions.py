"""What the device asks its person, and who answers."""

from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from fob_protocol.names import plain_name


class Operation(Enum):
    """What a question is about."""

    SIGN = "sign"
    DECRYPT = "decrypt"
    DERIVE = "derive"


@dataclass(frozen=True, slots=True)
class Question:
    """A key is about to be used: by which computer, for which operation. The label is as some computer stored it."""

    operation: Operation
    key_label: str
    pc_name: str

    def words(self) -> str:
        """One line for the screen and for the PC's narration."""
        return f"{self.operation.value} with '{plain_name(self.key_label)}' for {self.pc_name}"


class Decider(Protocol):
    """Answers for the device's person."""

    def is_silent(self, question: Question) -> bool:
        """True when the answer is known without asking anybody."""

    async def decide(self, question: Question) -> bool:
        """Yes or no; waits as long as the person thinks. Cancelled when the question is withdrawn."""

    async def pin(self, pc_name: str) -> bytes | None:
        """The PIN typed on the device's own pad, None when it has no pad or the person gave up."""

    @property
    def has_pin_pad(self) -> bool:
        """True when `pin` can answer."""

    @property
    def pairing_open(self) -> bool:
        """True while new computers may pair."""

    async def compare(self, code: str) -> bool:
        """The person's word whether the other side shows the same code."""
