"""Layout and slogan of what is printed: data components of the device, kept here by their versions."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from fob_daemon.control.errors import ControlError, ExitCode
from fob_daemon.control.office_reports import DeviceOffice
from fob_daemon.device.office_views import Option
from fob_daemon.metering.kept.disk import Disk
from fob_daemon.metering.kept.store import MeterStore
from fob_protocol.pkcs11.errors import CkrError

# Octets of one: what a slogan may have.
COMPONENT_LIMIT: Final = 16_384
_DATA: Final = 2
_WORDS: Final = ("layout", "slogan")


@dataclass(frozen=True, slots=True)
class Appearance:
    """The contents; None where the device has none."""

    layout: bytes | None = field(repr=False)
    slogan: bytes | None = field(repr=False)


async def appearance_of(office: DeviceOffice, disk: Disk) -> Appearance:
    """One round trip to know that nothing changed, and one or more for each that did.

    What was kept when the device cannot be asked. Raises ControlError for one that is too large.
    """
    try:
        options = await office.options()
        found = [await _fetched(office, disk, option) for option in options if _word(option.id, option.kind)]
    except CkrError:
        contents = await disk(_kept_contents)
        return Appearance(contents.get("layout"), contents.get("slogan"))
    # It can be asked for again: what is paid is drawn without room on this disk.
    with suppress(ControlError):
        if found or disk.has_any:
            await disk(lambda store: store.told.keep_components(found))
    return Appearance(_first(found, "layout"), _first(found, "slogan"))


def _kept_contents(store: MeterStore) -> dict[str, bytes | None]:
    """By their words."""
    return {_word(id_): store.told.component(id_, None) for id_ in store.told.component_ids()}


def _first(found: Sequence[tuple[str, str, bytes]], word: str) -> bytes | None:
    return next((content for id_, _, content in found if _word(id_) == word), None)


def _word(id_: str, kind: int = _DATA) -> str:
    """`slogan` for a data component `slogan-picture`; empty for what is neither."""
    parts = id_.split("-")
    return next((word for word in _WORDS if word in parts and kind == _DATA), "")


async def _fetched(office: DeviceOffice, disk: Disk, option: Option) -> tuple[str, str, bytes]:
    content = await disk(lambda store: store.told.component(option.id, option.version))
    if content is None:
        content = await _read(office, option)
    return option.id, option.version, content


async def _read(office: DeviceOffice, option: Option) -> bytes:
    """All of it. Raises CkrError, ControlError."""
    content = b""
    while True:
        page = await office.option(option.id, len(content))
        if page.size > COMPONENT_LIMIT:
            why = f"'{option.id}' has {page.size:,} octets; at most {COMPONENT_LIMIT:,} are drawn"
            raise ControlError("nothing was drawn", why, "fob options list", ExitCode.FAILED)
        content += page.octets
        if len(content) >= page.size or not page.octets:
            return content[: page.size]
