"""How long a person's command waits for a device that has to ask its office again and again."""

import asyncio
from collections.abc import Awaitable
from typing import Final, TypeVar

from fob_daemon.control.errors import ControlError, ExitCode
from fob_daemon.control.events import EventQueue
from fob_daemon.control.interface import ControlEvent, DaemonView
from fob_daemon.control.office_reports import Progress, Relayed

T = TypeVar("T")

# Seconds from the first question that came to nothing, or had to be asked again, to the next thing that is done: the
# longest question and its answer need 82 s at 9,600 baud. What an office says of its own pauses makes it no longer.
STALLED: Final = 90.0


async def patiently(
    daemon: DaemonView, device: str, what: str, work: Awaitable[T], next_command: str, *, goes_on: bool = False
) -> T:
    """What `work` comes to, while the device gets on with its office. `goes_on`: it does so by itself afterwards.

    Raises ControlError when it does not for STALLED seconds, and what `work` raises.
    """
    deadline = asyncio.timeout(None)
    steps = _Steps(device, deadline)
    try:
        async with deadline:
            # A deadline moves once it has begun.
            daemon.subscribe(steps)
            return await work
    except TimeoutError:
        if not deadline.expired():
            raise
        why = f"for {STALLED:g} s the office has not answered as one does" + (f": {steps.why}" if steps.why else "")
        why += "; the device goes on by itself" if goes_on else ""
        raise ControlError(what, why, next_command, ExitCode.TIMEOUT) from None
    finally:
        daemon.unsubscribe(steps)


class _Steps(EventQueue[ControlEvent]):
    """Moves the deadline by what a device tells. What it says or asks once more is nothing new."""

    def __init__(self, device: str, deadline: asyncio.Timeout) -> None:
        super().__init__()
        self.why = ""
        self._device = device
        self._deadline = deadline
        self._told: tuple[str, int] | None = None
        self._carried: tuple[str, str, int] | None = None

    def put(self, event: ControlEvent) -> None:
        """Called for every event."""
        match event:
            case Progress(device=self._device, words=words, done=done) if words and (words, done) != self._told:
                self._told = (words, done)
                self._deadline.reschedule(None)
            case Relayed(device=self._device):
                self._relayed(event)

    def _relayed(self, event: Relayed) -> None:
        self.why = event.why
        step = (event.service, event.words, event.done)
        if not event.why and step != self._carried:
            self._deadline.reschedule(None)
        elif self._deadline.when() is None:
            self._deadline.reschedule(asyncio.get_running_loop().time() + STALLED)
        self._carried = step
