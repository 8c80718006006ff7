"""The paired devices, on disk: their keys, their lines, their slots."""

import json
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Final

from fob_daemon.files import write_durably
from fob_daemon.link.transport import LineUrl
from fob_protocol.noise.keys import DH_SIZE

# Slot ids are shown to people and kept for good; so many devices are more than a PC ever pairs.
DEVICES_LIMIT: Final = 64
FIRST_SLOT: Final = 1


class RegistryError(ValueError):
    """The registry cannot do that; the text says why."""


@dataclass(frozen=True, slots=True)
class PairedDeviceEntry:
    """One paired device. `key` is its static public key in hexadecimal; `slot` never changes while it is paired."""

    name: str
    key: str
    serial: str
    url: str
    slot: int
    paired_at: float

    @property
    def key_octets(self) -> bytes:
        """The static public key, 32 octets."""
        return bytes.fromhex(self.key)


@dataclass(slots=True)
class Registry:
    """The devices by name. Every change is on disk before it counts."""

    path: Path
    devices: dict[str, PairedDeviceEntry] = field(default_factory=dict)

    @classmethod
    def load(cls, path: Path) -> "Registry":
        """The stored registry, empty when there is none. Raises RegistryError for a damaged file."""
        registry = cls(path)
        if not path.exists():
            return registry
        try:
            entries = [PairedDeviceEntry(**entry) for entry in json.loads(path.read_text())]
            for entry in entries:
                LineUrl.parse(entry.url)
                if len(entry.key_octets) != DH_SIZE:
                    raise ValueError(f"the key of '{entry.name}' is not {DH_SIZE} octets")
            registry.devices = {entry.name: entry for entry in entries}
        except (TypeError, ValueError, AttributeError, RecursionError) as error:
            raise RegistryError(f"{path} is damaged: {error}") from None
        return registry

    def add(self, name: str, key: bytes, serial: str, url: str, now: float) -> PairedDeviceEntry:
        """Store a device; one with the same key keeps its name and slot. Raises RegistryError."""
        known = next((entry for entry in self.devices.values() if entry.key == key.hex()), None)
        if known is not None:
            entry = replace(known, url=url, serial=serial, paired_at=now)
        else:
            if len(self.devices) >= DEVICES_LIMIT:
                raise RegistryError(f"{DEVICES_LIMIT} devices are paired already")
            entry = PairedDeviceEntry(self._free_name(name), key.hex(), serial, url, self._free_slot(), now)
        self.devices[entry.name] = entry
        self._store()
        return entry

    def remove(self, name: str) -> None:
        """Forget a device. Raises RegistryError when there is none of that name."""
        if name not in self.devices:
            raise RegistryError(f"no device is called '{name}'")
        del self.devices[name]
        self._store()

    def _free_slot(self) -> int:
        taken = {entry.slot for entry in self.devices.values()}
        return next(slot for slot in range(FIRST_SLOT, FIRST_SLOT + DEVICES_LIMIT + 1) if slot not in taken)

    def _free_name(self, name: str) -> str:
        base = name.strip() or "phone"
        taken = self.devices
        return next(n for n in (base, *(f"{base} {i}" for i in range(2, DEVICES_LIMIT + 2))) if n not in taken)

    def _store(self) -> None:
        write_durably(self.path, json.dumps([asdict(entry) for entry in self.devices.values()], indent=1).encode())
