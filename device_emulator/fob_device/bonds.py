"""The radio bonds of paired computers."""

from dataclasses import dataclass, field
from typing import Final

from fob_device.store.bond_rows import BondRow, read_bond, read_bonds, write_bond
from fob_device.store.database import Database
from fob_device.store.errors import TokenFileError
from fob_device.token.device_root import DeviceRoot
from fob_device.token.sealing import SealBrokenError

# Octets of a long-term key and of an identity resolving key (Bluetooth Core 5.4, vol. 3, part H, 2.4.1 and 2.4.2.1).
KEY_SIZE: Final = 16

_PURPOSE: Final = "Fob radio bond 1"


@dataclass(frozen=True, slots=True)
class Bond:
    """A key that was made by LE Secure Connections with numeric comparison, 16 octets; no other kind is kept.

    `address`: the computer's identity address as text, "C4:..." for a static random one, "00:.../P" for a public one.
    `irk` (16 octets): resolves its private addresses, if it uses them.
    """

    address: str
    ltk: bytes = field(repr=False)
    irk: bytes | None = field(repr=False, default=None)


class Bonds:
    """Bonds by address, sealed under the root key; at most one for each paired computer, and none for another.

    A pairing that is removed takes its bond with it, in the same transaction.
    """

    def __init__(self, database: Database, root: DeviceRoot) -> None:
        """Raises TokenFileError for a row that this device did not write, CkrError DEVICE_ERROR for a broken file."""
        self._database = database
        self._root = root
        self.all()

    def find(self, address: str) -> Bond | None:
        """The bond with an address. Raises CkrError DEVICE_ERROR, TokenFileError for an altered row."""
        row = self._database.read(lambda connection: read_bond(connection, address))
        return None if row is None else self._unseal(row)

    def owner(self, address: str) -> bytes | None:
        """The static key of the computer that a bond belongs to. Raises CkrError DEVICE_ERROR."""
        row = self._database.read(lambda connection: read_bond(connection, address))
        return None if row is None else row.pc

    def all(self) -> list[Bond]:
        """Every bond. Raises as `find`."""
        return [self._unseal(row) for row in self._database.read(read_bonds)]

    def keep(self, pc_key: bytes, bond: Bond) -> None:
        """Keep the bond of a paired computer instead of its older one.

        Raises CkrError when it cannot be stored or the computer is not paired; then nothing has changed.
        """
        sealed = self._root.seal(_PURPOSE, bond.ltk + (bond.irk or b""), bond.address, pc_key)
        with self._database.transaction() as connection:
            write_bond(connection, BondRow(bond.address, pc_key, sealed))

    def _unseal(self, row: BondRow) -> Bond:
        try:
            keys = self._root.unseal(_PURPOSE, row.sealed, row.address, row.pc)
        except SealBrokenError:
            raise TokenFileError(f"the radio bond with {row.address} was altered") from None
        return Bond(row.address, keys[:KEY_SIZE], keys[KEY_SIZE:] or None)
