"""The device's own key pair and the PCs it is paired with, on disk."""

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path

from fob_protocol.noise.keys import DH_SIZE, KeyPair, Random

# A phone shows its paired computers on one screen; more than this is an attack or a mistake.
PAIRINGS_LIMIT = 64


@dataclass(frozen=True, slots=True)
class PairedPc:
    """A computer that may open sessions: its static key (hexadecimal), its name, when it was paired (seconds)."""

    key: str
    name: str
    paired_at: float


class PairingsFullError(Exception):
    """PAIRINGS_LIMIT computers are paired already."""


@dataclass(slots=True)
class Pairings:
    """The paired computers; every change is on disk before it counts."""

    path: Path
    pcs: dict[bytes, PairedPc] = field(default_factory=dict)

    @classmethod
    def load(cls, path: Path) -> "Pairings":
        """The stored pairings, none when there is no file. Raises ValueError for a damaged file."""
        pairings = cls(path)
        if path.exists():
            for entry in json.loads(path.read_text()):
                pairings.pcs[bytes.fromhex(entry["key"])] = PairedPc(**entry)
        return pairings

    def add(self, key: bytes, name: str, now: float) -> None:
        """Pair a computer, or pair it again. Raises PairingsFullError."""
        if key not in self.pcs and len(self.pcs) >= PAIRINGS_LIMIT:
            raise PairingsFullError
        self._store(self.pcs | {key: PairedPc(key.hex(), name, now)})

    def remove(self, key: bytes) -> None:
        """Forget a computer."""
        if key in self.pcs:
            self._store({known: pc for known, pc in self.pcs.items() if known != key})

    def _store(self, pcs: dict[bytes, PairedPc]) -> None:
        """Raises OSError; then nothing has changed."""
        write_durably(self.path, json.dumps([asdict(pc) for pc in pcs.values()], indent=1).encode())
        self.pcs = pcs


def load_identity(path: Path, random: Random) -> KeyPair:
    """The device's static key pair; made at the first start, 0600."""
    return KeyPair.from_private_bytes(load_secret(path, DH_SIZE, random))


def load_secret(path: Path, size: int, random: Random) -> bytes:
    """`size` secret octets kept in a 0600 file, made at the first start. Raises ValueError for a damaged file."""
    if not path.exists():
        write_durably(path, random(size))
    secret = path.read_bytes()
    if len(secret) != size:
        raise ValueError(f"{path.name} has to hold {size} octets")
    return secret


def write_durably(path: Path, content: bytes) -> None:
    """Old content or new, never a mix: written beside, flushed, renamed, and the folder flushed."""
    beside = path.with_name(path.name + ".new")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(descriptor)
    beside.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
