"""What a device's person has allowed for a while, as the control socket shows it."""

from dataclasses import dataclass
from typing import Protocol

from fob_daemon.device.grants import Grant


@dataclass(frozen=True, slots=True)
class GrantReport:
    """A yes of a device's person that is remembered: what for, and for how many seconds still."""

    device: str
    number: int
    seconds: int
    words: str


@dataclass(frozen=True, slots=True)
class Granted:
    """An event: a yes is remembered from now on."""

    device: str
    number: int
    seconds: int
    words: str


@dataclass(frozen=True, slots=True)
class Revoked:
    """An event: a grant ended before its time; `number` 0: all did."""

    device: str
    number: int


class DeviceGrants(Protocol):
    """One device's grants to this computer."""

    async def grants(self) -> list[Grant]:
        """Those that hold now, oldest first. Raises CkrError."""

    async def revoke_grant(self, number: int) -> None:
        """End one, or all by ALL_GRANTS. Raises CkrError ARGUMENTS_BAD for one that is not there."""
