"""While a request waits: the words that stand on the phone's screen, and what the device's office does not answer."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from fob_daemon.cli.client import READ_TIME
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
    following = threading.Event()
    # It reads until the process ends: a thread in a read cannot be told to stop.
    told = Told(device, say or fob.output.say, tells_relays)
    threading.Thread(target=_follow, args=(fob, told, following), daemon=True).start()
    following.wait(READ_TIME)
    yield


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


def _follow(fob: Fob, told: Told, following: threading.Event) -> None:
    try:
        with fob.client.stream("GET", "events") as events:
            following.set()
            for event in events:
                told.hear(event)
    except ControlError:
        return
    finally:
        following.set()
