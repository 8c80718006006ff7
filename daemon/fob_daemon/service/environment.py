"""The environment variables by which a service manager speaks to the one process it started."""

import os
from collections.abc import MutableMapping
from typing import Final

Environment = MutableMapping[str, str]

# sd_listen_fds(3), sd_notify(3), sd_watchdog_enabled(3).
VARIABLES: Final = ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", "NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC")


class ServiceEnvironmentError(ValueError):
    """The service manager's variables contradict themselves or what this process inherited."""


def take(environment: Environment, *names: str) -> list[str | None]:
    """The values of `names`, which are unset, so that no child mistakes them for its own."""
    return [environment.pop(name, None) for name in names]


def number(name: str, text: str, highest: int) -> int:
    """A decimal number from 0 to `highest`; ServiceEnvironmentError names the variable."""
    if not (text.isascii() and text.isdecimal() and len(text) <= len(str(highest)) and int(text) <= highest):
        raise ServiceEnvironmentError(f"{name} is {text[:40]!r}, not a number from 0 to {highest}")
    return int(text)


def is_for_this_process(name: str, pid: str | None) -> bool:
    """Whether the variable `name` holds this process's id; an absent one counts as such."""
    return pid is None or number(name, pid, 2**31 - 1) == os.getpid()
