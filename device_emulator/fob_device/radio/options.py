"""What `fob-device radio` is given, checked before anything is made of it."""

import math
import os
from dataclasses import dataclass
from typing import Final

from fob_device.errors import UsageError
from fob_protocol.link.gatt import LONGEST_INTERVAL, SHORTEST_INTERVAL

SOCKET_PREFIX: Final = "unix:"
MILLISECONDS: Final = 1000

NOT_STARTED: Final = "the radio did not start"
HELP: Final = "fob-device radio --help"
INTERVAL_RULE: Final = (
    f"a connection interval has {SHORTEST_INTERVAL * MILLISECONDS:g} to {LONGEST_INTERVAL * MILLISECONDS:g} ms"
    " (Bluetooth Core, vol. 6, part B, 4.5.1)"
)
LOSS_RULE: Final = "a loss is a probability from 0 to below 1"


@dataclass(frozen=True, slots=True)
class Options:
    """`interval` in seconds, `hold` for every connection's whole life; `listen` and `control` are paths."""

    listen: str
    control: str | None
    interval: float
    hold: bool
    loss: float
    seed: int

    @classmethod
    def read(cls, listen: str, control: str | None, interval: str, hold: bool, loss: str, seed: int) -> "Options":
        """As typed; `interval` in milliseconds. Raises UsageError."""
        hosts = _socket_path("--listen", listen)
        asking = None if control is None else _socket_path("--control", control)
        if asking is not None and os.path.realpath(asking) == os.path.realpath(hosts):
            raise _refusal("--control", control, "hosts connect there: --listen and --control are two sockets")
        milliseconds = _number(interval)
        if not SHORTEST_INTERVAL <= milliseconds / MILLISECONDS <= LONGEST_INTERVAL:
            raise _refusal("--interval", interval, INTERVAL_RULE)
        probability = _number(loss)
        if not 0 <= probability < 1:
            raise _refusal("--loss", loss, LOSS_RULE)
        return cls(hosts, asking, milliseconds / MILLISECONDS, hold, probability, seed)


def _socket_path(option: str, text: str) -> str:
    path = text.removeprefix(SOCKET_PREFIX)
    if path == text or not path or "\0" in path:
        raise _refusal(option, text, "a socket is unix:/path")
    return path


def _number(text: str) -> float:
    """What is no number is not in any range either."""
    try:
        return float(text)
    except ValueError:
        return math.nan


def _refusal(option: str, text: str | None, rule: str) -> UsageError:
    return UsageError(NOT_STARTED, f"{option} {text}: {rule}", HELP)
