"""The keys and certificates, in a list and one by one."""

import base64
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from fob_device.overview.objects import CertificateView, KeyView
from fob_device.screen.web.views.details import Detail
from fob_device.screen.web.words import day_and_year, duration
from fob_device.settings import Ask, KeySetting

_NO_LABEL: Final = "(no label)"

# What a person may choose, as the form sends it.
SETTINGS: Final = {
    "always": KeySetting(),
    "once-300": KeySetting(Ask.ONCE, 300),
    "once-3600": KeySetting(Ask.ONCE, 3600),
    "never": KeySetting(Ask.NEVER),
}


@dataclass(frozen=True, slots=True)
class Item:
    """A row of the list; `ask`: the setting's name, for its colour."""

    handle: int
    icon: str
    label: str
    kind: str
    setting: str = ""
    ask: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """Keys, or certificates."""

    name: str
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class SettingChoice:
    """A choice of the form; `value` is what it sends."""

    value: str
    title: str
    words: str
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class ObjectPage:
    """One key or certificate; a certificate has no settings."""

    handle: int
    label: str
    settings: tuple[SettingChoice, ...]
    details: tuple[Detail, ...]


def groups(keys: Iterable[KeyView], certificates: Iterable[CertificateView]) -> list[Group]:
    """The whole list; a group that is empty is left out."""
    items = (
        Group("Private keys", tuple(_key_item(key) for key in keys)),
        Group("Certificates", tuple(_certificate_item(certificate) for certificate in certificates)),
    )
    return [group for group in items if group.items]


def object_page(handle: int, keys: Sequence[KeyView], certificates: Sequence[CertificateView]) -> ObjectPage | None:
    """What there is to say of an object, None when there is none of this handle."""
    for key in keys:
        if key.handle == handle:
            return _key_page(key)
    for certificate in certificates:
        if certificate.handle == handle:
            return _certificate_page(certificate)
    return None


def setting_words(setting: KeySetting) -> str:
    """`asks once per hour`."""
    match setting.ask:
        case Ask.ALWAYS:
            return "always asks"
        case Ask.ONCE:
            return f"once per {duration(setting.seconds).removeprefix('1 ')}"
        case Ask.NEVER:
            return "never asks"


def ssh_fingerprint(line: str) -> str:
    """`SHA256:...` of an OpenSSH public key line, as `ssh-keygen -l` writes it."""
    blob = base64.b64decode(line.split(" ")[1])
    return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")


def _key_item(key: KeyView) -> Item:
    return Item(key.handle, "key", key.label or _NO_LABEL, key.type, setting_words(key.setting), key.setting.ask.value)


def _certificate_item(certificate: CertificateView) -> Item:
    until = f", until {day_and_year(certificate.not_after)}" if certificate.not_after else ""
    return Item(certificate.handle, "certificate", certificate.label or _NO_LABEL, f"X.509{until}")


def _key_page(key: KeyView) -> ObjectPage:
    details = (
        Detail("Type", key.type),
        Detail("May", ", ".join(key.uses) or "nothing"),
        Detail("Needs the PIN", "for each use") if key.asks_pin_always else None,
        Detail("Id", key.id.hex(), is_code=True) if key.id else None,
        Detail("SSH fingerprint", ssh_fingerprint(key.ssh), is_code=True),
        Detail("SSH public key", key.ssh, is_code=True),
        Detail("Public key", key.public_key.strip(), is_code=True),
    )
    return ObjectPage(
        key.handle,
        key.label or _NO_LABEL,
        tuple(_choices(key.setting)),
        tuple(detail for detail in details if detail is not None),
    )


def _choices(chosen: KeySetting) -> Iterable[SettingChoice]:
    for value, setting in SETTINGS.items():
        title, words = _CHOICES[setting.ask]
        once = duration(setting.seconds).removeprefix("1 ")
        yield SettingChoice(value, title.format(once), words, setting == chosen)


_CHOICES: Final = {
    Ask.ALWAYS: ("Always ask", "Every use waits for your tap."),
    Ask.ONCE: ("Once per {}", "A yes holds so long for the same program, operation and host."),
    Ask.NEVER: ("Never ask", "While the phone is unlocked. What is forwarded from another machine asks all the same."),
}


def _certificate_page(certificate: CertificateView) -> ObjectPage:
    dates = (certificate.not_before, certificate.not_after)
    details = (
        Detail("Subject", certificate.subject),
        Detail("Issuer", certificate.issuer),
        Detail("Valid", " to ".join(day_and_year(date) for date in dates if date)),
        Detail("Id", certificate.id.hex(), is_code=True),
        Detail("SHA-256 fingerprint", certificate.fingerprint, is_code=True),
        Detail("Certificate", certificate.pem.strip(), is_code=True),
    )
    return ObjectPage(
        certificate.handle, certificate.label or _NO_LABEL, (), tuple(detail for detail in details if detail.value)
    )
