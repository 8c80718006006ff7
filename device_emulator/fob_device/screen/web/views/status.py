"""The status bar: time, link, battery."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Final

from fob_device.overview.computers import Computer
from fob_device.screen.web import words
from fob_device.workbench.power import Battery
from fob_protocol.names import shortened


class Link(Enum):
    """What the phone is connected by."""

    CABLE = "cable"
    RADIO = "radio"
    NONE = "none"


# Characters of a computer's name that the bar has room for: a short one with its mark.
NAME_SHOWN: Final = 18

_SAID: Final = {Link.CABLE: "by cable", Link.RADIO: "by radio", Link.NONE: "not connected"}
_RADIO_SCHEME: Final = "ble:"


@dataclass(frozen=True, slots=True)
class Status:
    """`link_words`: the whole of it; `pc_name`: what there is room for."""

    label: str
    time: str
    date: str
    link: str
    link_words: str
    pc_name: str
    battery: int
    is_charging: bool
    is_locked: bool


def link_of(computer: Computer) -> Link:
    """What a computer is connected by."""
    if not computer.is_connected:
        return Link.NONE
    return Link.RADIO if computer.over.startswith(_RADIO_SCHEME) else Link.CABLE


def link_words(computer: Computer) -> str:
    """`by cable`."""
    return _SAID[link_of(computer)]


def status_of(label: str, now: datetime, computers: Sequence[Computer], battery: Battery, *, is_locked: bool) -> Status:
    """The bar as it is now."""
    connected = [computer for computer in computers if computer.is_connected]
    said = ", ".join(f"{computer.name} {link_words(computer)}" for computer in connected)
    more = f" +{len(connected) - 1}" if len(connected) > 1 else ""
    return Status(
        label=label,
        time=words.clock(now),
        date=words.day(now),
        link=(link_of(connected[0]) if connected else Link.NONE).value,
        link_words=f"Connected to {said}" if said else "No computer is connected",
        pc_name=shortened(connected[0].name, NAME_SHOWN) + more if connected else "",
        battery=battery.percent,
        is_charging=battery.is_charging,
        is_locked=is_locked,
    )
