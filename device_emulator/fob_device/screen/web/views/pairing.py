"""The paired computers with the way to a new one."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from fob_device.screen.web.views.computers import ComputerItem
from fob_device.screen.web.words import duration

_CLOSED: Final = "While pairing is open, a computer may ask to pair. Both then show six digits, which you compare."
_OPEN: Final = "Pairing is open, and closes by itself."
_RESTING: Final = "Pairing failed too often in a row: it rests for a minute. Is somebody trying the digits?"


@dataclass(frozen=True, slots=True)
class ComputersPage:
    """`seconds_left` and `seconds`: of the time that pairing stays open."""

    computers: Sequence[ComputerItem]
    pairing_words: str
    is_pairing_open: bool
    seconds_left: float
    seconds: float

    @property
    def ring(self) -> float:
        """How much of the time is over, in percent."""
        return round(100 - 100 * self.seconds_left / self.seconds, 1)

    @property
    def pairing_time(self) -> str:
        """For how long it opens."""
        return duration(self.seconds)


def computers_page(
    computers: Sequence[ComputerItem], seconds_left: float, seconds: float, *, is_resting: bool
) -> ComputersPage:
    """`is_resting`: too many pairings failed, and none can begin now."""
    is_open = seconds_left > 0
    words = _OPEN if is_open else _CLOSED
    return ComputersPage(computers, _RESTING if is_resting else words, is_open, seconds_left, seconds)
