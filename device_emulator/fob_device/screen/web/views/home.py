"""The first page, and the lock screen."""

from collections.abc import Sequence
from dataclasses import dataclass

from fob_device.overview.computers import Computer
from fob_device.pad.tries import SET_PIN
from fob_device.screen.lock import Lock
from fob_device.screen.web.views.computers import GrantItem
from fob_device.screen.web.views.history import EntryItem
from fob_device.screen.web.views.status import Link, link_of, link_words


@dataclass(frozen=True, slots=True)
class Home:
    """What is going on, what runs without asking, what was done last."""

    title: str
    words: str
    grants: Sequence[GrantItem]
    recent: Sequence[EntryItem]
    is_new: bool = False
    # What the back office says; empty where there is none.
    office: str = ""
    # What there is to say of the meter; empty where nobody keeps one.
    meter: str = ""


@dataclass(frozen=True, slots=True)
class Card:
    """What a locked phone says: that something waits, and not what."""

    icon: str
    title: str
    words: str


@dataclass(frozen=True, slots=True)
class Locked:
    """The lock screen."""

    cards: Sequence[Card]


@dataclass(frozen=True, slots=True)
class UnlockPad:
    """The PIN pad of the lock screen. `is_wrong`: it answers a PIN that was; `is_blocked`: only `command` helps."""

    title: str
    words: str
    is_wrong: bool
    is_blocked: bool
    command: str = ""


def home(
    computers: Sequence[Computer],
    grants: Sequence[GrantItem],
    recent: Sequence[EntryItem],
    office: str = "",
    meter: str = "",
) -> Home:
    """The first page of an unlocked phone."""
    connected = [computer for computer in computers if link_of(computer) is not Link.NONE]
    if connected:
        said = " and ".join(f"{computer.name} {link_words(computer)}" for computer in connected)
        return Home("All is quiet", f"Connected to {said}", grants, recent, office=office, meter=meter)
    if computers:
        words = "None of the paired computers is connected."
        return Home("No computer here", words, grants, recent, office=office, meter=meter)
    words = "Your computer's programs will sign with the keys on this phone."
    return Home("Welcome", words, grants, recent, True, office, meter)


def unlock_pad(lock: Lock, *, is_wrong: bool) -> UnlockPad:
    """The pad now. A try is spent while its PIN is looked at, and given back: nothing is said of it before."""
    if lock.is_checking:
        return UnlockPad("Enter PIN", "Checking …", is_wrong=False, is_blocked=False)
    if lock.is_blocked:
        title, words = "PIN blocked" if lock.has_pin else "No PIN yet", lock.words.removesuffix(SET_PIN)
        return UnlockPad(title, words, is_wrong=False, is_blocked=True, command=SET_PIN)
    return UnlockPad("Enter PIN", lock.words or lock.waiting_words, is_wrong, is_blocked=False)


def locked(waiting: int, waiting_words: str) -> Locked:
    """One card, however many requests wait."""
    if not waiting:
        return Locked(())
    return Locked((Card("key", waiting_words, f"Unlock to see {'them' if waiting > 1 else 'it'}"),))
