"""A PIN pad: collects PINs until one is right."""

from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

from fob_device.approval.asking import Asking
from fob_device.pad.entry import PinEntry
from fob_device.pad.password import PasswordEntry

T = TypeVar("T")

# Looks at a PIN: spends a try, and is slow. Raises CkrError PIN_INCORRECT, PIN_LEN_RANGE, PIN_LOCKED.
Check = Callable[[bytes], Awaitable[T]]


class PinPad(Protocol):
    """Where the device's person types PINs. Each call may be cancelled: the question goes away."""

    @property
    def has_pin_pad(self) -> bool:
        """True when PINs are typed here, and therefore nowhere else."""

    async def log_in(self, entry: PinEntry, check: Check[bytes], asking: Asking) -> bytes | None:
        """The user's master key; not asked for where the person has shown already that they are there.

        None when the person gives up. Raises CkrError PIN_LOCKED.
        """

    async def enter(self, entry: PinEntry, check: Check[T], asking: Asking) -> T | None:
        """What `check` makes of the right PIN; a wrong one is said to the person, who types again.

        None when the person gives up. Raises CkrError PIN_LOCKED, and what else `check` raises but for a wrong PIN.
        """

    async def choose(self, entry: PinEntry, asking: Asking) -> bytes | None:
        """A new PIN, of a good size and typed twice; None when the person gives up."""

    async def type_password(self, entry: PasswordEntry, asking: Asking) -> str | None:
        """A password of a good size, typed twice where it is new; None when the person gives up."""

    async def unlocked(self, asking: Asking) -> None:
        """Wait until the device is unlocked: before that it does nothing with private keys.

        Raises CkrError PIN_LOCKED.
        """

    def forget_pin(self) -> None:
        """The PIN was set by somebody else, or the token is a new one: whoever is there types it."""
