"""What the phone was asked, and what it did."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Final

from fob_device.history.history import Line
from fob_device.screen.web import words
from fob_device.screen.web.views.deeds import title_with_key
from fob_protocol.deeds import asker
from fob_protocol.history.entry import By, Entry, Kind, Outcome


@dataclass(frozen=True, slots=True)
class Look:
    """How a kind of entry looks: tone (good, bad, warn or none), icon, title."""

    tone: str
    icon: str
    title: str


@dataclass(frozen=True, slots=True)
class EntryItem:
    """A row; `moment` by the phone's clock."""

    look: Look
    words: str
    decision: str
    moment: datetime | None

    @property
    def time(self) -> str:
        """For people."""
        return words.clock(self.moment) if self.moment else ""

    @property
    def datetime(self) -> str:
        """For machines."""
        return self.moment.isoformat(timespec="minutes") if self.moment else ""


@dataclass(frozen=True, slots=True)
class Day:
    """The entries of a day, newest first."""

    name: str
    entries: Sequence[EntryItem]


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """`older`: below which number the next page begins, 0 at the end."""

    days: Sequence[Day]
    older: int


_USES: Final = {
    Outcome.APPROVED: Look("good", "yes", ""),
    Outcome.REFUSED: Look("bad", "no", ""),
    Outcome.OUT_OF_TIME: Look("warn", "clock", ""),
    Outcome.WITHDRAWN: Look("", "back", ""),
    Outcome.FAILED: Look("warn", "warning", ""),
}
_DECISIONS: Final = {
    (Outcome.APPROVED, By.TAP): "Allowed by a tap",
    (Outcome.APPROVED, By.GRANT): "Allowed before, for a while",
    (Outcome.APPROVED, By.SETTING): "Allowed by the key's setting",
    (Outcome.APPROVED, By.RULE): "Allowed by a rule",
    (Outcome.REFUSED, By.TAP): "Denied by a tap",
    (Outcome.REFUSED, By.RULE): "Denied by a rule",
}
_OUTCOMES: Final = {
    Outcome.APPROVED: "Allowed",
    Outcome.REFUSED: "Denied",
    Outcome.OUT_OF_TIME: "Nobody answered",
    Outcome.WITHDRAWN: "Taken back by the computer",
    Outcome.FAILED: "Allowed, and failed",
}
_LOOKS: Final = {
    Kind.LOGIN: Look("", "lock", "Login"),
    Kind.WRONG_PIN: Look("warn", "warning", "Wrong PIN"),
    Kind.PIN_BLOCKED: Look("bad", "warning", "PIN blocked"),
    Kind.PIN_CHANGED: Look("warn", "lock", "PIN changed"),
    Kind.UNLOCKED: Look("", "open", "Unlocked"),
    Kind.PAIRED: Look("good", "pair", "Paired"),
    Kind.UNPAIRED: Look("warn", "pair", "Unpaired"),
    Kind.KEY_MADE: Look("good", "key", "Key made"),
    Kind.KEY_IMPORTED: Look("good", "key", "Key imported"),
    Kind.KEY_DELETED: Look("bad", "key", "Key deleted"),
    Kind.SETTING_CHANGED: Look("warn", "settings", "Setting changed"),
    Kind.GRANT_REVOKED: Look("", "no", "Asked again from then on"),
    Kind.TOKEN_INITIALIZED: Look("bad", "warning", "All keys erased"),
    Kind.COMPONENT_RUN: Look("good", "yes", "Component used"),
}
_UNKNOWN: Final = Look("", "history", "Something that this version does not know")
_ALTERED: Final = Look("bad", "warning", "This entry was altered")


def history_page(lines: Sequence[Line], today: datetime, size: int) -> HistoryPage:
    """The lines of a page, newest first; as many as `size` are not all."""
    items = [_item(line, today) for line in lines]
    days = [Day(name, tuple(of_day)) for name, of_day in groupby(items, lambda item: _day(item, today))]
    older = lines[-1].sequence if len(lines) == size else 0
    return HistoryPage(days, older if older > 1 else 0)


def last_uses(lines: Iterable[Line], today: datetime, count: int) -> list[EntryItem]:
    """The newest uses of keys among `lines`."""
    uses = [line for line in lines if line.entry is not None and line.entry.kind is Kind.USE]
    return [_item(line, today) for line in uses[:count]]


def _item(line: Line, today: datetime) -> EntryItem:
    entry = line.entry
    if entry is None:
        return EntryItem(_ALTERED, "Somebody changed the phone's file.", f"Entry {line.sequence}", None)
    moment = datetime.fromtimestamp(entry.time, today.tzinfo)
    if entry.kind is Kind.USE:
        return EntryItem(_use_look(entry), asker(entry.caller, entry.pc_name), _decision(entry), moment)
    look = _LOOKS.get(entry.kind, _UNKNOWN)
    return EntryItem(look, _about(entry), entry.words, moment)


def _use_look(entry: Entry) -> Look:
    look = _USES.get(entry.outcome, _UNKNOWN)
    return Look(look.tone, look.icon, title_with_key(entry.operation, entry.caller, entry.key_label))


def _decision(entry: Entry) -> str:
    return _DECISIONS.get((entry.outcome, entry.by)) or _OUTCOMES.get(entry.outcome, "")


def _about(entry: Entry) -> str:
    """Which key, for which computer."""
    key = f"'{entry.key_label}'" if entry.key_label else ""
    whom = asker(entry.caller, entry.pc_name) if entry.pc_name else ""
    return " for ".join(part for part in (key, whom) if part)


def _day(item: EntryItem, today: datetime) -> str:
    if item.moment is None:
        return "Altered"
    if item.moment.date() == today.date():
        return "Today"
    return words.day(item.moment) if item.moment.year == today.year else words.day_and_year(item.moment)
