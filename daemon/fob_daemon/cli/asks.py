"""While a request waits for a person, the words that stand on the phone's screen."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from fob_daemon.cli.client import READ_TIME
from fob_daemon.cli.context import Fob
from fob_daemon.control.errors import ControlError


@contextmanager
def asks_shown(fob: Fob, device: str | None = None, say: Callable[[str], None] | None = None) -> Iterator[None]:
    """Show what `device`, or any, asks its person while the body runs. `say`: how, where a line is in use already.

    A comfort, so that nothing fails for want of it.
    """
    following = threading.Event()
    # It reads until the process ends: a thread in a read cannot be told to stop.
    threading.Thread(target=_follow, args=(fob, device, say or fob.output.say, following), daemon=True).start()
    following.wait(READ_TIME)
    yield


def _follow(fob: Fob, device: str | None, say: Callable[[str], None], following: threading.Event) -> None:
    try:
        with fob.client.stream("GET", "events") as events:
            following.set()
            for event in events:
                if event.name == "ask" and isinstance(event.data, dict) and device in (None, event.data["device"]):
                    words, seconds = event.data["words"], event.data["seconds"]
                    say(f"Look at your phone: {words} ({seconds:.0f} s)")
    except ControlError:
        return
    finally:
        following.set()
