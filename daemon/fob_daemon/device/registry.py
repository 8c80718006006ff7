"""The paired devices, on disk: their keys, their lines, their slots."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from fob_daemon.files import require_room, write_durably
from fob_daemon.link.transport import SCHEMES, LineUrl
from fob_protocol.noise.keys import DH_SIZE

# Slot ids are shown to people and kept for good; so many devices are more than a PC ever pairs.
DEVICES_LIMIT: Final = 64
FIRST_SLOT: Final = 1

# More octets than a device takes in the file: its name, its lines (each as long as the control socket allows), its key.
ENTRY_ROOM: Final = 8192


class RegistryError(ValueError):
    """The registry cannot do that; the text says why."""


class PairedDeviceEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One paired device. `key` is its static public key in hexadecimal; `slot` never changes while it is paired."""

    name: Annotated[str, Meta(min_length=1)]
    key: Annotated[str, Meta(pattern=rf"^[0-9a-f]{{{2 * DH_SIZE}}}\Z")]
    serial: str
    # One of each kind, the preferred one first.
    urls: Annotated[tuple[str, ...], Meta(min_length=1, max_length=len(SCHEMES))]
    slot: Annotated[int, Meta(ge=FIRST_SLOT, le=DEVICES_LIMIT)]
    paired_at: float

    @property
    def key_octets(self) -> bytes:
        """The static public key, 32 octets."""
        return bytes.fromhex(self.key)

    @property
    def lines(self) -> tuple[LineUrl, ...]:
        """The lines to the device. Raises LineUrlError."""
        return tuple(LineUrl.parse(url) for url in self.urls)

    def is_at(self, line: LineUrl) -> bool:
        """True when one of its lines leads where `line` does, at whatever speed. Raises LineUrlError."""
        return line.place in {own.place for own in self.lines}


@dataclass(slots=True)
class Registry:
    """The devices by name, in the order in which they were first paired.

    Every change is on disk before it counts; one that cannot be stored changes nothing.
    """

    path: Path
    devices: dict[str, PairedDeviceEntry] = field(default_factory=dict)

    @classmethod
    def load(cls, path: Path) -> "Registry":
        """The stored registry, empty when there is none. Raises RegistryError for a damaged file."""
        if not path.exists():
            return cls(path)
        try:
            entries = msgspec.json.decode(path.read_bytes(), type=list[PairedDeviceEntry])
            for entry in entries:
                if list(entry.urls) != [line.text for line in one_of_each(entry.lines)]:
                    raise ValueError(f"the lines of '{entry.name}' are not in order")
            if len({entry.name for entry in entries}) < len(entries) or len({e.slot for e in entries}) < len(entries):
                raise ValueError("two devices have the same name or slot")
        except (ValueError, RecursionError) as error:
            raise RegistryError(f"{path} is damaged: {error}") from None
        return cls(path, {entry.name: entry for entry in entries})

    def known(self, key: bytes) -> PairedDeviceEntry | None:
        """The device with this static key, if it is paired."""
        return next((entry for entry in self.devices.values() if entry.key == key.hex()), None)

    def at(self, line: LineUrl) -> PairedDeviceEntry | None:
        """The device that was last paired of those with a line to the same place."""
        there = [entry for entry in self.devices.values() if entry.is_at(line)]
        return max(there, key=lambda entry: entry.paired_at, default=None)

    def add(
        self, own_name: str, key: bytes, serial: str, line: LineUrl, now: float, *, wanted: str | None = None
    ) -> PairedDeviceEntry:
        """Store a device under the name that is wanted, or under its own; with a number where another one has it.

        One with the same key keeps its place, its slot, its other lines, and its name unless another is wanted.
        Raises RegistryError.
        """
        self.require_slot(key)
        known = self.known(key)
        lines = one_of_each((*(known.lines if known is not None else ()), line))
        urls = tuple(line.text for line in lines)
        if known is not None:
            name = known.name if wanted is None else self._free_name(wanted, known)
            entry = msgspec.structs.replace(known, name=name, urls=urls, serial=serial, paired_at=now)
        else:
            name = self._free_name(wanted or own_name)
            entry = PairedDeviceEntry(name, key.hex(), serial, urls, self._free_slot(), now)
        entries = [entry if other is known else other for other in self.devices.values()]
        self._store({other.name: other for other in (*entries, entry)})
        return entry

    def remove(self, name: str) -> None:
        """Forget a device. Raises RegistryError, also when there is none of that name."""
        if name not in self.devices:
            raise RegistryError(f"no device is called '{name}'")
        self._store({other: entry for other, entry in self.devices.items() if other != name})

    def require_room(self, more: int) -> None:
        """For `more` octets than there are; asked before the other side is told of a change. Raises RegistryError."""
        with self._saying_why():
            require_room(self.path, len(_encode(self.devices)) + more)

    def require_slot(self, key: bytes) -> None:
        """Raises RegistryError when there is no place for the device with this key."""
        if self.known(key) is None and len(self.devices) >= DEVICES_LIMIT:
            raise RegistryError(f"{DEVICES_LIMIT} devices are paired already")

    def _free_slot(self) -> int:
        taken = {entry.slot for entry in self.devices.values()}
        return next(slot for slot in range(FIRST_SLOT, FIRST_SLOT + DEVICES_LIMIT + 1) if slot not in taken)

    def _free_name(self, name: str, known: PairedDeviceEntry | None = None) -> str:
        """`known` may keep the name that it has."""
        base = name.strip() or "phone"
        taken = {other.name for other in self.devices.values() if other is not known}
        return next(n for n in (base, *(f"{base} {i}" for i in range(2, DEVICES_LIMIT + 2))) if n not in taken)

    def _store(self, devices: dict[str, PairedDeviceEntry]) -> None:
        with self._saying_why():
            write_durably(self.path, _encode(devices))
        self.devices = devices

    @contextmanager
    def _saying_why(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise RegistryError(f"{self.path} cannot be written: {error.strerror or error}") from None


def _encode(devices: dict[str, PairedDeviceEntry]) -> bytes:
    return msgspec.json.format(msgspec.json.encode(list(devices.values())), indent=1)


def one_of_each(lines: Iterable[LineUrl]) -> list[LineUrl]:
    """The last line of each kind, the preferred kind first: a cable is faster than radio, and drains no battery."""
    kinds = {line.scheme: line for line in lines}
    return [kinds[scheme] for scheme in SCHEMES if scheme in kinds]
