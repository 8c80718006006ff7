"""What stands at each address: pages out of the phone and its person. Nothing changes by looking."""

import asyncio
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from fob_device.history.history import Line
from fob_device.overview.computers import Computer, computers, grants
from fob_device.overview.objects import certificates, keys
from fob_device.overview.office import OfficeOverview
from fob_device.pad.password import PASSWORD_TIME
from fob_device.pad.tries import wrong_words
from fob_device.phone import Phone
from fob_device.screen.person import PAIRING_OPEN
from fob_device.screen.sheets import ApprovalSheet, PairingSheet, PasswordSheet, PinSheet, Sheet
from fob_device.screen.typed import UNFIT
from fob_device.screen.web.addresses import COMPUTER, HANDLE, SERVER
from fob_device.screen.web.limits import HISTORY_PAGE, RECENT
from fob_device.screen.web.render import Back, Page
from fob_device.screen.web.shown import Running
from fob_device.screen.web.views.computers import computer_items, computer_page, grant_items
from fob_device.screen.web.views.history import history_page, last_uses
from fob_device.screen.web.views.home import home, locked, unlock_pad
from fob_device.screen.web.views.keys import groups, object_page
from fob_device.screen.web.views.message import Message
from fob_device.screen.web.views.meter import meter_line, meter_page
from fob_device.screen.web.views.office import office_line, office_page
from fob_device.screen.web.views.office_server import server_page
from fob_device.screen.web.views.pairing import computers_page
from fob_device.screen.web.views.settings import settings_page
from fob_device.screen.web.views.sheets import SheetView, sheet_view
from fob_device.settings import AS_AT_FIRST
from fob_protocol.limits import PAIRING_TIME, QUESTION_TIME
from fob_protocol.pkcs11.constants import Cku

# What a tap did, as the address of the next page says it.
NOTICES: Final = {
    "saved": "Saved.",
    "pin": "The PIN is changed.",
    "unpaired": "The computer is unpaired.",
    "revoked": "From now on it is asked again.",
    "unequal-passwords": "The two passwords were not equal.",
}
# Of a PIN that was not right; the pad says the rest.
WRONG: Final = "wrong"
PIN_TROUBLE: Final = {"unequal": "The new PINs were not equal.", "unfit": UNFIT.words}


Query = Mapping[str, str]


class NoPageError(Exception):
    """Nothing stands at this address, or no more."""


@dataclass(frozen=True, slots=True)
class Moved:
    """Look at another address, below the token; `notice`: one of NOTICES."""

    path: str = ""
    notice: str = ""


def message(icon: str, title: str, words: str) -> Page:
    """A page that says one thing."""
    return Page("message.html", title, Message(icon, title, words), may_reload=False)


_OVER: Final = "It was answered already, taken back, or nobody answered in time. Your tap did nothing."
OFF: Final = Page("off.html", "Off", None)


def page_at(running: Running, path: str, query: Query) -> Page | Moved:
    """The page at a path below the token. Raises NoPageError."""
    for pattern, find in _PAGES.items():
        if match := re.fullmatch(pattern, path):
            page = find(running, query, *match.groups())
            break
    else:
        raise NoPageError
    if isinstance(page, Moved):
        return page
    if running.person.lock.is_locked and page.template != "unlock.html":
        return replace(_lock_screen(running), path=path)
    notice = next((words for name, words in NOTICES.items() if name in query), "")
    return replace(page, path=path, notice=notice)


def with_sheet(running: Running, page: Page) -> Page:
    """The page below the sheet that asks first, if one does."""
    sheets = running.person.visible_sheets
    if not sheets:
        return page
    view = _view(running, sheets[0].named(running.phone.pairings.name_now))
    may_reload = page.may_reload and not isinstance(sheets[0], PinSheet | PasswordSheet)
    return replace(page, sheet=view, others=_others(sum(sheet.count for sheet in sheets[1:])), may_reload=may_reload)


def _unlock(running: Running, query: Query) -> Page | Moved:
    """The PIN pad of the lock screen."""
    lock = running.person.lock
    if not lock.is_locked:
        return Moved()
    view = unlock_pad(lock, is_wrong=WRONG in query)
    return Page("unlock.html", "Unlock", view, path="unlock", may_reload=False)


def _home(running: Running, query: Query) -> Page:
    phone = running.phone
    recent = last_uses(_lines(phone), now(phone), RECENT)
    office = office_line(phone.office.overview()) if phone.office else ""
    meter = phone.office.meter_overview() if phone.office else None
    view = home(computers(phone), grant_items(grants(phone)), recent, office, meter_line(meter) if meter else "")
    return Page("home.html", "Home", view)


def _lock_screen(running: Running) -> Page:
    lock = running.person.lock
    return Page("lock.html", lock.waiting_words or "Locked", locked(lock.waiting, lock.waiting_words))


def _keys(running: Running, query: Query) -> Page:
    return Page("keys.html", "Keys", groups(keys(running.phone), certificates(running.phone)), tab="keys")


def _key(running: Running, query: Query, handle: str) -> Page:
    view = object_page(int(handle), keys(running.phone), certificates(running.phone))
    if view is None:
        raise NoPageError
    return Page("key.html", view.label, view, tab="keys", back=Back("keys", "Keys"), may_reload=False)


def _computers(running: Running, query: Query) -> Page:
    person = running.person
    is_resting = not running.phone.pairing_tries.are_open(asyncio.get_running_loop().time())
    view = computers_page(
        computer_items(computers(running.phone)), person.pairing_seconds_left, PAIRING_OPEN, is_resting=is_resting
    )
    return Page("computers.html", "Computers", view, tab="computers")


def _computer(running: Running, query: Query, key: str, *, is_asking: bool = False) -> Page:
    computer = find_computer(running, key)
    view = computer_page(computer, grants(running.phone), is_asking=is_asking)
    return Page("computer.html", view.name, view, tab="computers", back=Back("computers", "Computers"))


def _unpair(running: Running, query: Query, key: str) -> Page:
    return _computer(running, query, key, is_asking=True)


def _history(running: Running, query: Query) -> Page:
    before = query.get("before", "")
    if before and not re.fullmatch(HANDLE, before):
        raise NoPageError
    lines = _lines(running.phone, int(before) if before else None)
    view = history_page(lines, now(running.phone), HISTORY_PAGE)
    return Page("history.html", "History", view, tab="history", may_reload=not before)


def _lines(phone: Phone, before: int | None = None) -> list[Line]:
    """A page of the history, computers named as they are now."""
    lines = phone.history.newest(HISTORY_PAGE, before)
    return [replace(line, entry=line.entry and phone.pairings.as_shown(line.entry)) for line in lines]


def _office(running: Running, query: Query) -> Page:
    view = office_page(_overview(running.phone), is_connected=bool(running.phone.sessions))
    return Page("office.html", "Office", view, back=Back("", "Home"))


def _office_server(running: Running, query: Query, server: str) -> Page:
    view = server_page(_overview(running.phone), server, is_connected=bool(running.phone.sessions))
    if view is None:
        raise NoPageError
    return Page("office_server.html", view.title, view, back=Back("office", "Office"), may_reload=not view.fields)


def _meter(running: Running, query: Query) -> Page:
    meter = running.phone.office.meter_overview() if running.phone.office else None
    if meter is None:
        raise NoPageError
    view = meter_page(meter, is_connected=bool(running.phone.sessions))
    return Page("meter.html", "Meter", view, back=Back("", "Home"), may_reload=not view.may_ask)


def _overview(phone: Phone) -> OfficeOverview:
    """Raises NoPageError."""
    if phone.office is None:
        raise NoPageError
    return phone.office.overview()


def _settings(running: Running, query: Query) -> Page:
    lock = running.person.lock
    view = settings_page(lock.auto_lock, lock.tries_left, running.phone.token.info())
    return Page("settings.html", "Settings", view, tab="settings", may_reload=False)


def _pin(running: Running, query: Query) -> Page:
    """Where the PIN is changed, with what became of the last try."""
    said = next((words for name, words in PIN_TROUBLE.items() if name in query), "")
    if WRONG in query:
        said = wrong_words(Cku.USER, running.person.lock.tries_left)
    return Page("pin.html", "Change the PIN", said, tab="settings", back=Back("settings", "Settings"), may_reload=False)


def _over(running: Running, query: Query) -> Page:
    """A tap that came too late, or a second time."""
    return message("clock", "This request is over", _OVER)


_PAGES: Final[Mapping[str, Callable[..., Page | Moved]]] = {
    r"": _home,
    r"unlock": _unlock,
    r"keys": _keys,
    rf"keys/{HANDLE}": _key,
    rf"computers/{COMPUTER}": _computer,
    rf"computers/{COMPUTER}/unpair": _unpair,
    r"computers": _computers,
    r"history": _history,
    r"office": _office,
    rf"office/servers/{SERVER}": _office_server,
    r"meter": _meter,
    r"settings": _settings,
    r"settings/pin": _pin,
    r"over": _over,
}


def find_computer(running: Running, key: str) -> Computer:
    """The paired computer with this key, in hex. Raises NoPageError."""
    for computer in computers(running.phone):
        if computer.key.hex() == key:
            return computer
    raise NoPageError


def now(phone: Phone) -> datetime:
    """By the phone's clock, which may be wrong, in this machine's time zone."""
    return datetime.fromtimestamp(phone.wall_clock()).astimezone()


def _view(running: Running, sheet: Sheet) -> SheetView:
    seconds = PASSWORD_TIME if isinstance(sheet, PasswordSheet) else QUESTION_TIME
    seconds = PAIRING_TIME if isinstance(sheet, PairingSheet) else seconds
    setting = running.phone.settings.of_key(sheet.question.key) if isinstance(sheet, ApprovalSheet) else AS_AT_FIRST
    return sheet_view(sheet, running.person.sheets.seconds_left(sheet), seconds, setting.seconds)


def _others(count: int) -> str:
    """Behind the sheet on top wait `count` requests, several on one sheet where they ask the same."""
    if count == 0:
        return ""
    return "1 more request waits behind this one" if count == 1 else f"{count} more requests wait behind this one"
