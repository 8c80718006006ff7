"""A device's history as the control socket needs it."""

from typing import Protocol

from fob_daemon.device.views import HistoryPage
from fob_protocol.history.head import Head
from fob_protocol.history.verify import Anchor


class DeviceHistory(Protocol):
    """One device's history, as the daemon gives it."""

    @property
    def slot(self) -> int:
        """The device's."""

    @property
    def computer(self) -> bytes:
        """This computer's static key."""

    async def page(self, sequence: int) -> HistoryPage:
        """Records from `sequence` on. Raises CkrError."""

    async def head(self, nonce: bytes) -> Head:
        """The end, signed for `nonce`. Raises CkrError."""

    def seen(self) -> Anchor | None:
        """What this computer has seen of it. Raises SeenError."""

    def keep(self, anchor: Anchor) -> None:
        """It was found good so far. Raises SeenError."""


class SeenError(Exception):
    """What was seen of a history cannot be read or kept, or says otherwise; `next_command` is for the person."""

    def __init__(self, why: str, next_command: str) -> None:
        self.next_command = next_command
        super().__init__(why)
