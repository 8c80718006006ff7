"""What the rest of the daemon asks of a link to a device."""

from collections.abc import Callable
from typing import Protocol

from fob_protocol.at.answer import Answer, Event
from fob_protocol.at.command import Command
from fob_protocol.session.handshake import Greeting


class Link(Protocol):
    """A device's link, present or away; one for the life of the daemon, whatever line is behind it."""

    @property
    def greeting(self) -> Greeting | None:
        """The current session's greeting, None while the device is away."""

    async def present(self) -> Greeting:
        """The session's greeting, after a moment's wait for a link that broke just now.

        Raises CkrError DEVICE_REMOVED while the device is away.
        """

    async def request(self, command: Command, *, timeout: float) -> Answer:  # noqa: ASYNC109 - cancels at the device too
        """One command, one answer, one link round trip.

        Raises CkrError: DEVICE_REMOVED at once while the device is away, FateUnknownError (DEVICE_ERROR) when the link
        was lost after the request had gone out, FUNCTION_CANCELED when `timeout` (seconds, stretched by a slow line's
        `Pace`) passed; then the device withdraws it.
        A refusal by the device is an Answer, not an exception. Cancelling the task withdraws the request too.
        """

    def subscribe(self, listener: Callable[[Event], None]) -> None:
        """Call `listener` for every event of the device, in order."""

    def on_session(self, listener: Callable[[Greeting | None], None]) -> None:
        """Call `listener` at the start of each session, and with None when the device goes away."""
