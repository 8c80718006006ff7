"""Tell a service manager that devices are answered now (sd_notify(3))."""

import os
import socket
from collections.abc import MutableMapping
from contextlib import suppress

VARIABLE = "NOTIFY_SOCKET"


def say_ready(url: str, environment: MutableMapping[str, str] = os.environ) -> None:
    """With the place as the service's status. Without a service manager this is silence."""
    # Workers are not the service.
    address = environment.pop(VARIABLE, "")
    if not address:
        return
    # A name that begins with "@" is in the abstract namespace.
    place = f"\0{address[1:]}" if address.startswith("@") else address
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as manager:
        manager.sendto(f"READY=1\nSTATUS=listening at {url}".encode(), place)
