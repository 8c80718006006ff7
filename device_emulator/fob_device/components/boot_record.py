"""Which set runs and which is tried: one record, on the disk twice (docs/office-protocol.md, section 6.4)."""

from enum import IntEnum, StrEnum
from typing import Annotated, Final

from msgspec import Meta
from msgspec.structs import replace

from fob_device.components.errors import BootRecordError
from fob_device.components.storage import Storage
from fob_protocol.office.component import Catalogue
from fob_protocol.office.configuration import Outcome
from fob_protocol.office.errors import OfficeError
from fob_protocol.office.hashing import digest
from fob_protocol.office.limits import BOOT_TRIES
from fob_protocol.office.message import Count, Message, Octets32, Version, read

COPIES: Final = ("boot-1", "boot-2")
_DIGEST_SIZE: Final = 32


class Slot(StrEnum):
    """There are two sets."""

    A = "a"
    B = "b"


class Phase(IntEnum):
    """How far the installation of the candidate is."""

    IDLE = 0
    FETCHING = 1
    STAGED = 2
    TRIAL = 3


class Held(Message, frozen=True):
    """A set on the disk; `digest` is that of its file."""

    slot: Slot
    set_number: Count
    digest: Octets32


class Ended(Message, frozen=True):
    """What became of the last set that the office offered; the office hears of it until it answers."""

    set_number: Count
    outcome: Outcome
    reason: Annotated[str, Meta(max_length=64)]


class BootRecord(Message, tag=1, frozen=True):
    """`security_counter` and `catalogue` are the confirmed set's; they outlive its file."""

    number: Count = 0
    phase: Phase = Phase.IDLE
    confirmed: Held | None = None
    candidate: Held | None = None
    tries: Annotated[int, Meta(ge=0, le=BOOT_TRIES)] = 0
    security_counter: Count = 0
    catalogue: Catalogue = ()
    ended: Ended | None = None

    @property
    def set_number(self) -> int:
        """Of the confirmed set; 0 before the first one."""
        return self.confirmed.set_number if self.confirmed else 0

    @property
    def free_slot(self) -> Slot:
        """Where the next set goes."""
        return Slot.B if self.confirmed and self.confirmed.slot is Slot.A else Slot.A

    def least_version(self, component: str) -> Version | None:
        """Below which a component does not come again; None when it is not installed."""
        return next((held.version for held in self.catalogue if held.id == component), None)


class BootCopies:
    """The two files. One of them is whole whatever happens, since the other is written only when this one is kept."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def load(self) -> BootRecord:
        """The newer copy, from now on certainly on the disk twice; a device without any has never had a set.

        Raises BootRecordError: both were there, and are damaged.
        """
        records = {name: self._read(name) for name in COPIES}
        newest = max((record for record in records.values() if record), key=lambda record: record.number, default=None)
        if newest is None:
            return self._first()
        for name in COPIES:
            # A program that was killed may have left what only looks kept.
            if records[name] == newest:
                self._storage.flush(name)
        for name in COPIES:
            if records[name] != newest:
                self._write(name, newest)
        return newest

    def save(self, record: BootRecord) -> BootRecord:
        """The record under the next number, on the disk when this returns; first in place of the older copy."""
        record = replace(record, number=record.number + 1)
        for name in sorted(COPIES, key=self._number):
            self._write(name, record)
        return record

    def _first(self) -> BootRecord:
        if all(self._storage.read(name) is not None for name in COPIES):
            raise BootRecordError("both copies of the boot record are damaged")
        return BootRecord()

    def _number(self, name: str) -> int:
        record = self._read(name)
        return -1 if record is None else record.number

    def _read(self, name: str) -> BootRecord | None:
        octets = self._storage.read(name)
        if octets is None or digest(octets[:-_DIGEST_SIZE]) != octets[-_DIGEST_SIZE:]:
            return None
        try:
            return read(BootRecord, octets[:-_DIGEST_SIZE])
        except OfficeError:
            return None

    def _write(self, name: str, record: BootRecord) -> None:
        octets = record.octets()
        self._storage.write(name, octets + digest(octets))
        self._storage.flush(name)
