"""While a request waits: the words that stand on the phone's screen, and what the device's office does not answer."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from fob_daemon.cli.client import READ_TIME, EventStream
from fob_daemon.cli.context import Fob
from fob_daemon.control.errors import ControlError
from fob_daemon.control.sse import ServerEvent


@contextmanager
def asks_shown(
    fob: Fob, device: str | None = None, say: Callable[[str], None] | None = None, *, tells_relays: bool = True
) -> Iterator[None]:
    """Show what `device`, or any, asks its person while the body runs. `say`: how, where a line is in use already.

    `tells_relays`: also which questions to its office came to nothing; each reason once in a row.

    A comfort, so that nothing fails for want of it.
    """
    following = _Following(fob, Told(device, say or fob.output.say, tells_relays))
    try:
        yield
    finally:
        following.end()


class Told:
    """Says what there is to say of events."""

    def __init__(self, device: str | None, say: Callable[[str], None], tells_relays: bool) -> None:
        self._device = device
        self._say = say
        self._tells_relays = tells_relays
        self._why = ""

    def hear(self, event: ServerEvent) -> None:
        """Other devices' and other events are passed over."""
        data: Any = event.data
        if not isinstance(data, dict) or self._device not in (None, data.get("device")):
            return
        if event.name == "ask":
            self._say(f"Look at your phone: {data['words']} ({data['seconds']:.0f} s)")
        elif event.name == "relay" and self._tells_relays:
            if data["why"] and data["why"] != self._why:
                self._say(f"The office did not answer: {data['why']}; it is tried again ...")
            self._why = data["why"]


class _Following:
    """Reads the daemon's events in a thread of its own until `end`: two that overlap would say all of it twice."""

    def __init__(self, fob: Fob, told: Told) -> None:
        self._fob = fob
        self._told = told
        self._events: EventStream | None = None
        self._is_over = False
        self._begun = threading.Event()
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._thread.start()
        self._begun.wait(READ_TIME)

    def end(self) -> None:
        """What has come by now is still told."""
        self._is_over = True
        if self._events is not None:
            self._events.hang_up()
            self._thread.join(READ_TIME)

    def _follow(self) -> None:
        try:
            with self._fob.client.stream("GET", "events") as self._events:
                self._begun.set()
                if self._is_over:
                    return
                for event in self._events:
                    self._told.hear(event)
        except ControlError:
            return
        finally:
            self._begun.set()
