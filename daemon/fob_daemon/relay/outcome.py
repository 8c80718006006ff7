"""What became of a question, and whoever makes it so."""

from dataclasses import dataclass, field
from typing import Protocol

from fob_protocol.relay import RelayStatus


@dataclass(frozen=True, slots=True)
class Outcome:
    """`answer` when it was answered, `seconds` when the office said how long to wait.

    `why`: for people, empty when it was answered; it repeats nothing of what the office sent but its HTTP status
    (`http`, 0 when there is none).
    """

    status: RelayStatus
    answer: bytes | None = field(default=None, repr=False)
    seconds: int | None = None
    why: str = ""
    http: int = 0


class Office(Protocol):
    """Where questions go."""

    async def post(self, service: str, question: bytes) -> Outcome:
        """Within ANSWER_TIME. Never raises but when cancelled."""

    async def close(self) -> None:
        """Hang up."""
