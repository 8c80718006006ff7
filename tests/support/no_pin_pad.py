"""No PIN pad: every PIN comes from the computer."""

from typing import TypeVar

from fob_device.approval.asking import Asking
from fob_device.pad.entry import PinEntry
from fob_device.pad.password import PasswordEntry
from fob_device.pad.pin_pad import Check

T = TypeVar("T")


class NoPinPad:
    """A PinPad that nobody can type on, of a device that has no lock either."""

    @property
    def has_pin_pad(self) -> bool:
        """There is none."""
        return False

    async def log_in(self, entry: PinEntry, check: Check[bytes], asking: Asking) -> bytes | None:
        """Nobody types."""
        return None

    async def enter(self, entry: PinEntry, check: Check[T], asking: Asking) -> T | None:
        """Nobody types."""
        return None

    async def choose(self, entry: PinEntry, asking: Asking) -> bytes | None:
        """Nobody types."""
        return None

    async def type_password(self, entry: PasswordEntry, asking: Asking) -> str | None:
        """Nobody types."""
        return None

    async def unlocked(self, asking: Asking) -> None:
        """There is no lock."""

    def forget_pin(self) -> None:
        """There is nothing to forget."""
