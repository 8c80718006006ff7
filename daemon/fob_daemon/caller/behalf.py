"""On whose behalf a request is made that one program's connection makes for another: the agent's signatures.

The agent has one application, whose login all programs share, so that an application does not say who asks. The task
does: each connection's requests are answered in a task of its own, and a context variable belongs to a task.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from fob_daemon.peer import PeerIdentity
from fob_protocol.caller import Caller


@dataclass(frozen=True, slots=True)
class Asker:
    """The process that asks, and what the device is told of it."""

    peer: PeerIdentity
    caller: Caller


_asker: ContextVar[Asker | None] = ContextVar("asker", default=None)


@contextmanager
def on_behalf_of(asker: Asker) -> Iterator[None]:
    """Within the `with` block this task asks for `asker`."""
    token = _asker.set(asker)
    try:
        yield
    finally:
        _asker.reset(token)


def current_asker() -> Asker | None:
    """For whom this task asks; None for the program at the other end of its own connection."""
    return _asker.get()
