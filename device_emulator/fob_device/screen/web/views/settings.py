"""The phone's own settings."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from fob_device.pad.tries import tries_words
from fob_device.screen.web.views.details import Detail
from fob_device.screen.web.words import duration
from fob_device.settings import AUTO_LOCK_CHOICES
from fob_protocol.pkcs11.infos import TokenDescription

# As the form sends it.
NEVER: Final = "never"


@dataclass(frozen=True, slots=True)
class AutoLockChoice:
    """After how long the phone locks itself; `value` is what the form sends."""

    value: str
    title: str
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class SettingsPage:
    """All of them."""

    auto_lock: Sequence[AutoLockChoice]
    pin_words: str
    about: Sequence[Detail]


def auto_lock_seconds(value: str) -> int | None:
    """What a form's value means. Raises ValueError for one that is no choice."""
    seconds = {_value(seconds): seconds for seconds in AUTO_LOCK_CHOICES}
    if value not in seconds:
        raise ValueError(f"seconds is one of {', '.join(seconds)}")
    return seconds[value]


def settings_page(auto_lock: int | None, tries_left: int, token: TokenDescription) -> SettingsPage:
    """The settings as they are."""
    about = (
        Detail("Name", token.label),
        Detail("Model", token.model),
        Detail("Serial number", token.serial, is_code=True),
    )
    choices = [AutoLockChoice(_value(seconds), _title(seconds), seconds == auto_lock) for seconds in AUTO_LOCK_CHOICES]
    return SettingsPage(choices, f"{tries_words(tries_left)}.", about)


def _value(seconds: int | None) -> str:
    return NEVER if seconds is None else str(seconds)


def _title(seconds: int | None) -> str:
    return "Never" if seconds is None else f"After {duration(seconds)}"
