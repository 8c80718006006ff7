"""The device's copies in its file, sealed under the root key; a step is on the disk before it counts."""

from dataclasses import dataclass, field
from typing import Final

from fob_device.store.copy_rows import read_copied_programs, read_copy, write_copy
from fob_device.store.database import Database
from fob_device.store.errors import TokenFileError
from fob_device.token.device_root import DeviceRoot
from fob_device.token.sealing import SealBrokenError
from fob_protocol.integrity.held_copy import KEPT, Kept
from fob_protocol.office.message import read_one_of

_PURPOSE: Final = "Fob copy 1"


@dataclass(frozen=True, slots=True)
class CopyStore:
    """Every method raises CkrError for a file that cannot be used, TokenFileError for a row that was altered."""

    database: Database = field(repr=False)
    root: DeviceRoot
    # Each program's row as it was opened last, and what was in it: the same octets are not opened again.
    _opened: dict[str, tuple[bytes, Kept]] = field(default_factory=dict, init=False, repr=False, compare=False)

    def programs(self) -> list[str]:
        """Of everything that is kept."""
        return self.database.read(read_copied_programs)

    def get(self, program: str) -> Kept | None:
        """What is kept of a program."""
        sealed = self.database.read(lambda connection: read_copy(connection, program))
        if sealed is None:
            return None
        opened = self._opened.get(program)
        if opened is None or opened[0] != sealed:
            opened = self._opened[program] = sealed, self._open(program, sealed)
        return opened[1]

    def keep(self, program: str, kept: Kept) -> None:
        """In place of what was there: one transaction."""
        sealed = self.root.seal(_PURPOSE, kept.octets(), program)
        with self.database.transaction() as connection:
            write_copy(connection, program, sealed)

    def _open(self, program: str, sealed: bytes) -> Kept:
        try:
            octets = self.root.unseal(_PURPOSE, sealed, program)
        except SealBrokenError:
            raise TokenFileError(f"the copy of {program} was altered") from None
        return read_one_of(KEPT, octets)
