"""The page about the device's back office."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from fob_device.overview.office import Deed, Ended, InstalledComponent, ListedServer, OfficeOverview, RegisteredAt
from fob_device.screen.web.views.details import Detail
from fob_device.screen.web.views.integrity import NEEDS_NONE, VALID, CopyItem, copy_item, why
from fob_device.screen.web.views.refusals import sentence
from fob_device.screen.web.words import clock, first_upper
from fob_protocol.names import plain_name
from fob_protocol.time_left import about

TITLES: Final = {
    "generic": "Nothing is configured",
    "running": "Configured",
    "asking": "Asking the office",
    "fetching": "Fetching components",
    "staged": "Trying what came",
    "trial": "Trying what came",
}
OUT_OF_ORDER: Final = "Out of order"
# Steps of what is read aloud: not every percent.
_TOLD_PERCENT: Final = 25


@dataclass(frozen=True, slots=True)
class Item:
    """A line: what it is, more about it, and a word behind it."""

    title: str
    words: str
    end: str
    is_good: bool = True


@dataclass(frozen=True, slots=True)
class ServerItem:
    """A line that leads to the page of a server."""

    server: str
    title: str
    words: str
    is_registered: bool


@dataclass(frozen=True, slots=True)
class Now:
    """What the device is at. `total` 0: no bar. `told`: what is read aloud of it; `trouble`: a sentence."""

    title: str
    words: str
    done: int
    total: int
    percent: str
    told: str
    trouble: str
    said: str


@dataclass(frozen=True, slots=True)
class OfficePage:
    """`may_ask`: nothing is asked by the person yet, and the device can."""

    now: Now
    may_ask: bool
    may_give_up: bool
    upgrades: Sequence[Item]
    components: Sequence[Item]
    copies: Sequence[CopyItem]
    servers: Sequence[ServerItem]
    details: Sequence[Detail]


def office_page(office: OfficeOverview, *, is_connected: bool) -> OfficePage:
    """As it is now. `is_connected`: a computer is there."""
    is_whole = office.state in TITLES
    return OfficePage(
        now_of(office, is_connected=is_connected),
        is_whole and office.doing is None,
        office.doing is not None,
        tuple(_upgrade(component) for component in office.components if component.newer),
        tuple(map(_component, office.components)),
        tuple(copy_item(copy, _at) for copy in office.copies),
        tuple(_servers(office)),
        tuple(_details(office)),
    )


def office_line(office: OfficeOverview) -> str:
    """For the first page."""
    newer = sum(component.newer != "" for component in office.components)
    if office.words:
        return f"{first_upper(office.words)}{f', {_percent(office)}' if office.total else ''}"
    if office.trouble:
        return sentence(office.trouble)
    refused = [copy for copy in office.copies if copy.is_own and copy.state not in (VALID, NEEDS_NONE)]
    if refused:
        return why(refused[0])
    if newer:
        return "1 upgrade is there" if newer == 1 else f"{newer} upgrades are there"
    return TITLES.get(office.state, OUT_OF_ORDER)


def now_of(office: OfficeOverview, *, is_connected: bool) -> Now:
    """What it is at, how far, and what was in the way."""
    title = TITLES.get(office.state, OUT_OF_ORDER)
    waits = office.has_relay and not is_connected and office.words != "" and office.state in TITLES
    said = "No computer is connected; it goes on as soon as one is." if waits else office.words
    left = "" if office.seconds_left is None or waits else about(office.seconds_left)
    told = f"{title}, {_TOLD_PERCENT * (4 * office.done // office.total)} percent" if office.total else title
    percent = ", ".join(part for part in (_percent(office) if office.total else "", left) if part)
    ended = office.ended
    trouble = _refused(ended) if ended and ended.refusal else sentence(office.trouble) if office.trouble else ""
    return Now(
        title, first_upper(said), office.done, office.total, percent, told, trouble,
        _ended_well(office, ended) if ended and not ended.refusal else "",
    )  # fmt: skip


def _percent(office: OfficeOverview) -> str:
    return f"{100 * office.done // office.total} %"


def _refused(ended: Ended) -> str:
    return f"{_at(ended.at)}: {sentence(ended.refusal, ended.why)}"


def _ended_well(office: OfficeOverview, ended: Ended) -> str:
    newer = sum(component.newer != "" for component in office.components)
    match ended.deed:
        case Deed.LOOK if newer:
            have = "has" if newer == 1 else "have"
            return f"{_at(ended.at)}: {newer} of {len(office.components)} components {have} a newer version."
        case Deed.LOOK:
            return f"{_at(ended.at)}: No component has a newer version."
        case Deed.CONFIGURE:
            return f"{_at(ended.at)}: What was ordered runs."
        case Deed.VALIDATE:
            return f"{_at(ended.at)}: The office was asked about every copy."
        case Deed.LETTER:
            return f"{_at(ended.at)}: The letter was right."
    return ""


def _at(seconds: float) -> str:
    """A time of day, by the phone's clock."""
    return clock(datetime.fromtimestamp(seconds).astimezone())


def _upgrade(component: InstalledComponent) -> Item:
    return Item(plain_name(component.title), f"{component.version or 'None'} is installed", component.newer)


def _component(component: InstalledComponent) -> Item:
    said = f"version {component.version}" if component.version else ""
    if not component.fault:
        return Item(plain_name(component.title), said, "runs")
    why = ". ".join(part for part in (first_upper(said), sentence(component.fault)) if part)
    return Item(plain_name(component.title), why, "does not run", is_good=False)


def _servers(office: OfficeOverview) -> Iterator[ServerItem]:
    """Those that are known, and those that were."""
    registered = {registration.server: registration for registration in office.registrations}
    for server in office.servers:
        yield _server(server, registered.pop(server.server, None))
    for registration in registered.values():
        yield _server(ListedServer(registration.server, registration.title), registration)


def _server(server: ListedServer, registration: RegisteredAt | None) -> ServerItem:
    if registration is None:
        return ServerItem(server.server, plain_name(server.title), "Not registered", is_registered=False)
    levels = ", ".join(f"{application}: level {level}" for application, level in registration.levels)
    said = f"As {plain_name(registration.name)}; {levels or 'nothing may be used there'}"
    return ServerItem(server.server, plain_name(server.title), said, registration.is_active)


def _details(office: OfficeOverview) -> Iterator[Detail]:
    if office.serial:
        yield Detail("Serial number", office.serial, is_code=True)
        yield Detail("Hardware", office.hardware, is_code=True)
    if office.held:
        yield Detail("Set", f"{office.held.number}, in place {office.held.place}, confirmed")
    if office.candidate:
        where = f"{office.candidate.number}, in place {office.candidate.place}"
        kept = f"; set {office.held.number} is kept until it is confirmed" if office.held else ""
        yield Detail("Next set", f"{where}, {'is fetched' if office.state == 'fetching' else 'on trial'}{kept}")
