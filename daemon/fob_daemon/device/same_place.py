"""Several phones at one place: one was made anew, or they take turns at a cable. Only one of them answers there."""

import shlex
from collections.abc import Collection
from typing import TYPE_CHECKING

from fob_daemon.link.keeper import LineKeeper, State
from fob_daemon.link.transport import LineUrl

if TYPE_CHECKING:
    from fob_daemon.device.device import Device

_UNANSWERED = (State.AWAY, State.REFUSED)
_ANSWERED = (State.READY, State.STANDBY)


def neighbours(device: "Device", devices: Collection["Device"]) -> list["Device"]:
    """The other devices that have a line to a place where it has one."""
    lines = device.entry.lines
    return [other for other in devices if other is not device and any(other.entry.is_at(line) for line in lines)]


def explained(device: "Device", line: LineKeeper, devices: Collection["Device"]) -> tuple[str, str]:
    """Why a line is not ready, and what helps: where another device answers, neither its lock nor its no is why."""
    if line.state in _UNANSWERED:
        for other in neighbours(device, devices):
            if _answers_at(other, line.url):
                why = f"another phone, '{other.entry.name}', answers there"
                return why, f"fob unpair {shlex.quote(device.entry.name)}    (if it is gone for good)"
    return line.why, line.remedy


def _answers_at(device: "Device", place: LineUrl) -> bool:
    """A line that stands by has only been asked for its version: it counts where the device is known to be here."""
    return device.link.state is State.READY and any(
        line.url.place == place.place and line.state in _ANSWERED for line in device.link.lines
    )
