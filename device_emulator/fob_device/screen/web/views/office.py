"""The page about the device's back office."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from fob_device.overview.office import InstalledComponent, OfficeOverview, RegisteredAt
from fob_protocol.names import plain_name

TITLES: Final = {
    "generic": "Nothing is configured",
    "running": "Configured",
    "asking": "Asking the office",
    "fetching": "Fetching components",
    "staged": "Trying what came",
    "trial": "Trying what came",
}


@dataclass(frozen=True, slots=True)
class Item:
    """A line: what it is, more about it, and a word behind it."""

    title: str
    words: str
    end: str
    is_good: bool = True


@dataclass(frozen=True, slots=True)
class OfficePage:
    """`total` 0: no bar."""

    title: str
    words: str
    device: str
    done: int
    total: int
    components: Sequence[Item]
    registrations: Sequence[Item]


def office_page(office: OfficeOverview) -> OfficePage:
    """As it is now."""
    return OfficePage(
        TITLES.get(office.state, "Out of order"),
        office.words,
        f"Serial number {office.serial}, {office.hardware}" if office.serial else "",
        office.done,
        office.total,
        tuple(map(_component, office.components)),
        tuple(map(_registration, office.registrations)),
    )


def office_line(office: OfficeOverview) -> str:
    """For the first page."""
    return office.words or TITLES.get(office.state, "Out of order")


def _component(component: InstalledComponent) -> Item:
    said = f"version {component.version}" if component.version else ""
    if component.newer:
        said += f", {component.newer} is there"
    end = component.fault or "measured"
    return Item(plain_name(component.title), said, end, is_good=not component.fault)


def _registration(registration: RegisteredAt) -> Item:
    levels = ", ".join(f"{application}: level {level}" for application, level in registration.levels)
    return Item(plain_name(registration.title), f"as {plain_name(registration.name)}", levels or "no level")
