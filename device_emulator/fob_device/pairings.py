"""The PCs that this device is paired with."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from fob_device.history.journal import NO_JOURNAL, Journal
from fob_device.store.database import Database
from fob_device.store.errors import TokenFileError
from fob_device.store.pairing_rows import PairingRow, delete_pairing, read_pairings, write_pairing
from fob_device.token.device_root import DeviceRoot
from fob_device.token.sealing import SealBrokenError
from fob_protocol.history.entry import Entry, Kind, computer_id, marked_name
from fob_protocol.names import plain_name

# A phone shows its paired computers on one screen; more than this is an attack or a mistake.
PAIRINGS_LIMIT: Final = 64

# What a computer is called now, by its static key and the name by which it asked.
NameOf = Callable[[bytes, str], str]

_PURPOSE: Final = "Fob device pairing 1"


@dataclass(frozen=True, slots=True)
class PairedPc:
    """A computer that may open sessions: its name, and when it was paired (seconds of the wall clock)."""

    name: str
    paired_at: float


class PairingsFullError(Exception):
    """PAIRINGS_LIMIT computers are paired already."""


class Pairings:
    """The paired computers by static key (32 octets); every change is on the disk before it counts.

    Each row is sealed under the root key, so that nobody pairs a computer by writing into the file.
    """

    def __init__(self, database: Database, root: DeviceRoot, journal: Journal = NO_JOURNAL) -> None:
        """Raises TokenFileError for a row that this device did not write, CkrError DEVICE_ERROR for a broken file."""
        self._database = database
        self._root = root
        self._journal = journal
        self._pcs = {row.key: self._check(row) for row in database.read(read_pairings)}

    def __contains__(self, key: bytes) -> bool:
        return key in self._pcs

    def __getitem__(self, key: bytes) -> PairedPc:
        """A paired computer. Raises KeyError."""
        return self._pcs[key]

    def __len__(self) -> int:
        return len(self._pcs)

    def items(self) -> list[tuple[bytes, PairedPc]]:
        """Every paired computer by static key, the one that was paired first at the head."""
        return sorted(self._pcs.items(), key=lambda pair: pair[1].paired_at)

    def shown_name(self, key: bytes) -> str:
        """What a person reads: plain, with the beginning of its fingerprint where another has that name too.

        Raises KeyError.
        """
        name = plain_name(self._pcs[key].name)
        if all(other == key or plain_name(pc.name) != name for other, pc in self._pcs.items()):
            return name
        return marked_name(name, computer_id(key))

    def name_now(self, key: bytes, name: str) -> str:
        """What a person reads of a computer that asked by `name`: plain, and as `shown_name` while it is paired."""
        return self.shown_name(key) if key in self._pcs else plain_name(name)

    def as_shown(self, entry: Entry) -> Entry:
        """An entry with the name that its computer has on the screen.

        One that is not paired has its mark always: whoever is paired now may have its name.
        """
        if not entry.pc_name or not entry.computer:
            return entry
        key = next((key for key in self._pcs if computer_id(key) == entry.computer), None)
        name = marked_name(entry.pc_name, entry.computer) if key is None else self.shown_name(key)
        return replace(entry, pc_name=name)

    def add(self, key: bytes, name: str, now: float) -> None:
        """Pair a computer, or pair it again. Raises PairingsFullError; CkrError, and then nothing has changed."""
        if key not in self._pcs and len(self._pcs) >= PAIRINGS_LIMIT:
            raise PairingsFullError
        row = PairingRow(key, name, now, self._root.seal(_PURPOSE, b"", key, name, repr(now)))
        with self._database.transaction() as connection:
            write_pairing(connection, row)
            self._journal.write(connection, _entry(Kind.PAIRED, key, name))
        self._pcs[key] = PairedPc(name, now)

    def remove(self, key: bytes) -> None:
        """Forget a computer. Raises CkrError, and then nothing has changed."""
        pc = self._pcs.get(key)
        if pc is None:
            return
        with self._database.transaction() as connection:
            delete_pairing(connection, key)
            self._journal.write(connection, _entry(Kind.UNPAIRED, key, pc.name))
        self._pcs.pop(key, None)

    def _check(self, row: PairingRow) -> PairedPc:
        try:
            self._root.unseal(_PURPOSE, row.seal, row.key, row.name, repr(row.paired_at))
        except SealBrokenError:
            raise TokenFileError(f"the pairing of the computer {row.key.hex()[:16]}... was altered") from None
        return PairedPc(row.name, row.paired_at)


def _entry(kind: Kind, key: bytes, name: str) -> Entry:
    return Entry(kind, computer=computer_id(key), pc_name=name)
