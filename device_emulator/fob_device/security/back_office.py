"""What the security manager knows of the device's back office: who answers its commands, if there is one."""

from collections.abc import Awaitable, Callable
from typing import Protocol

from fob_device.overview.office import OfficeOverview
from fob_device.security.context import Context
from fob_protocol.at.answer import Answer
from fob_protocol.at.values import Values

Handler = Callable[[Context, Values], Awaitable[Answer]]


class BackOfficeDoor(Protocol):
    """Commands of docs/protocol.md, section 4.3, and those of components."""

    def handler(self, name: str) -> Handler | None:
        """Who answers a command; None: there is no such command now."""

    def session_began(self, computer: bytes) -> None:
        """A computer (its static key) is there."""

    def overview(self) -> OfficeOverview:
        """What a screen shows of it."""

    def lose_power(self) -> None:
        """Nothing goes on."""
