"""A request that may have to wait for the device's person."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from fob_device.approval.askers import Asker


def loop_time() -> float:
    """The running loop's clock, in seconds."""
    return asyncio.get_running_loop().time()


@dataclass(frozen=True, slots=True)
class Asking:
    """Which computer asks (its static key, and what it is called), for what in words, until when (the loop's clock).

    `say` is told in words what the person has to do; it is never told where nobody has to do anything. While `asker`
    is away the person may answer, and nothing is done yet.
    """

    pc_name: str
    what: str
    until: float
    say: Callable[[str], None]
    asker: Asker = field(default_factory=Asker)
    pc_key: bytes = field(default=b"", repr=False)
