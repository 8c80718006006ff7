"""Listening sockets that the service manager opened for us (sd_listen_fds(3)).

systemd owns the sockets, so a client that comes before the daemon runs waits in the queue instead of failing.
"""

import os
import socket
from contextlib import ExitStack

from fob_daemon.service.environment import Environment, ServiceEnvironmentError, is_for_this_process, number, take

# SD_LISTEN_FDS_START: the first three are stdin, stdout and stderr.
FIRST_DESCRIPTOR = 3

# One socket a purpose and three purposes; the rest is room for local additions.
MAX_SOCKETS = 16


def inherited_sockets(environment: Environment = os.environ, first: int = FIRST_DESCRIPTOR) -> dict[str, socket.socket]:
    """The inherited sockets by FileDescriptorName=, non-blocking and close-on-exec; empty when there are none.

    Unsets LISTEN_PID, LISTEN_FDS and LISTEN_FDNAMES. Raises ServiceEnvironmentError when they are malformed, name a
    socket twice or not at all, or when a descriptor is no listening Unix stream socket.
    """
    pid, count, names = take(environment, "LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES")
    if pid is None or count is None or not is_for_this_process("LISTEN_PID", pid):
        return {}
    labels = _labels(number("LISTEN_FDS", count, MAX_SOCKETS), names)
    with ExitStack() as on_failure:
        sockets = {}
        for descriptor, label in enumerate(labels, first):
            sockets[label] = on_failure.enter_context(_adopt(descriptor, label))
        on_failure.pop_all()
    return sockets


def _labels(count: int, names: str | None) -> list[str]:
    """One name a socket, each another."""
    labels = names.split(":") if names else []
    if len(labels) != count:
        raise ServiceEnvironmentError(f"LISTEN_FDS counts {count} sockets, LISTEN_FDNAMES names {len(labels)}")
    if twice := sorted({label for label in labels if labels.count(label) > 1}):
        raise ServiceEnvironmentError(f"LISTEN_FDNAMES names {', '.join(twice)} more than once")
    return labels


def _adopt(descriptor: int, label: str) -> socket.socket:
    """The socket behind `descriptor`, made ours."""
    try:
        found = socket.socket(fileno=descriptor)
    except OSError as error:
        raise ServiceEnvironmentError(f"descriptor {descriptor} ({label}) is no socket: {error.strerror}") from error
    listening = found.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
    if found.family != socket.AF_UNIX or found.type != socket.SOCK_STREAM or not listening:
        found.close()
        raise ServiceEnvironmentError(f"descriptor {descriptor} ({label}) is no listening Unix stream socket")
    found.set_inheritable(False)
    found.setblocking(False)
    return found
