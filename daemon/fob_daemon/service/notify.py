"""Tell the service manager how the daemon is doing (sd_notify(3), sd_watchdog_enabled(3))."""

import asyncio
import os
import socket
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog

from fob_daemon.service.environment import Environment, ServiceEnvironmentError, is_for_this_process, number, take

# sun_path of sockaddr_un, unix(7).
MAX_ADDRESS_BYTES = 108

# `systemctl status` shows it in one line; a status may quote a device's name, so it is cut.
MAX_STATUS_CHARACTERS = 200

# A day: more than any unit asks for, and it keeps the sleep finite.
MAX_WATCHDOG_MICROSECONDS = 86_400_000_000

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Notifier:
    """Where to report to. Without `address` (no service manager) every report is silence.

    `watchdog_interval`: seconds between two signs of life, half of what the manager waits; None when it asks for none.
    """

    address: str | None = None
    watchdog_interval: float | None = None

    @classmethod
    def from_environment(cls, environment: Environment = os.environ) -> "Notifier":
        """Read and unset NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID; ServiceEnvironmentError when malformed."""
        notify, usec, pid = take(environment, "NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID")
        interval = None
        if usec is not None and is_for_this_process("WATCHDOG_PID", pid):
            interval = number("WATCHDOG_USEC", usec, MAX_WATCHDOG_MICROSECONDS) / 2_000_000 or None
        return cls(None if notify is None else _address(notify), interval)

    def ready(self) -> None:
        """Start-up, or a reload, is complete."""
        self._send("READY=1")

    def status(self, text: str) -> None:
        """One line for `systemctl status`."""
        # A line break would begin another assignment.
        line = " ".join(text.split())
        self._send(f"STATUS={line[:MAX_STATUS_CHARACTERS]}")

    def reloading(self) -> None:
        """The configuration is being read again; `ready` ends it."""
        self._send(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def stopping(self) -> None:
        """The daemon is shutting down."""
        self._send("STOPPING=1")

    async def run_watchdog(self, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        """Show signs of life until cancelled; returns at once when nobody waits for them.

        Runs on the daemon's own loop: a loop that hangs shows none, which is what the watchdog is for.
        """
        if self.address is None or self.watchdog_interval is None:
            return
        while True:
            self._send("WATCHDOG=1")
            await sleep(self.watchdog_interval)

    def _send(self, message: str) -> None:
        """Never blocks and never fails: a report that is lost must not stop the daemon's work."""
        if self.address is None:
            return
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as sender:
            try:
                sender.sendto(message.encode(errors="replace"), self.address)
            except OSError as error:
                log.warning("service manager not reached", report=message.partition("=")[0], error=error.strerror)


def _address(text: str) -> str:
    """The socket address that NOTIFY_SOCKET means: a path, or an abstract name behind an @."""
    if text[:1] not in {"/", "@"} or len(text) < 2 or len(os.fsencode(text)) >= MAX_ADDRESS_BYTES:
        raise ServiceEnvironmentError(f"NOTIFY_SOCKET is {text[:40]!r}, neither a path nor an abstract name")
    return "\0" + text[1:] if text[0] == "@" else text
