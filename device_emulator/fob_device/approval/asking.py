"""A request that may have to wait for the device's person."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

# How long a question stays on the screen, in seconds; the PC's own deadline withdraws it earlier.
QUESTION_TIME: Final = 60


@dataclass(frozen=True, slots=True)
class Asking:
    """Which computer asks, until when (seconds of the loop's clock), and how it hears what the person has to do.

    `say` is told the words; it is never told where nobody has to do anything.
    """

    pc_name: str
    until: float
    say: Callable[[str], None]
