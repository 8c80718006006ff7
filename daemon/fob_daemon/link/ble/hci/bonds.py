"""The bonds of a controller of our own, in a file: the keys, and the address that devices know this computer by."""

import os
from pathlib import Path
from typing import Any, Final

import msgspec
from bumble.hci import Address
from bumble.keys import KeyStore, PairingKeys
from msgspec import Struct

from fob_daemon.files import write_durably
from fob_daemon.link.transport import LineUnavailableError

IRK_SIZE: Final = 16


class BondsFile(Struct, kw_only=True):
    """What the file holds. `bonds`: by the device's address, the keys as bumble writes them."""

    address: str
    irk: str
    bonds: dict[str, dict[str, Any]] = {}


class Bonds(KeyStore):
    """bumble's key store. Every change is on disk before it counts; only the owner reads the file."""

    def __init__(self, path: Path) -> None:
        """Raises LineUnavailableError when the file is damaged, OSError."""
        self._path = path
        if path.exists():
            self._file = _read(path)
        else:
            address = Address.generate_static_address().to_string(with_type_qualifier=False)
            self._file = BondsFile(address=address, irk=os.urandom(IRK_SIZE).hex())
            self._store()

    @property
    def address(self) -> Address:
        """This computer's own, static random."""
        return Address(self._file.address, Address.RANDOM_DEVICE_ADDRESS)

    @property
    def irk(self) -> bytes:
        """This computer's identity resolving key, 16 octets."""
        return bytes.fromhex(self._file.irk)

    def has(self, address: str) -> bool:
        """True when there is a bond with the device at an address of either kind."""
        return any(_bare(name) == address for name in self._file.bonds)

    def is_authenticated(self, address: str) -> bool:
        """True for a bond whose making was authenticated."""
        keys = [PairingKeys.from_dict(keys) for name, keys in self._file.bonds.items() if _bare(name) == address]
        return any(key.ltk is not None and key.ltk.authenticated for key in keys)

    def remove(self, address: str) -> None:
        """Forget the device at an address of either kind."""
        kept = {name: keys for name, keys in self._file.bonds.items() if _bare(name) != address}
        if kept != self._file.bonds:
            self._file.bonds = kept
            self._store()

    async def delete(self, name: str) -> None:
        """Called by bumble."""
        self.remove(_bare(name))

    async def update(self, name: str, keys: PairingKeys) -> None:
        """Called by bumble. Kept is the link's key alone: a device has a fixed address, there is none to resolve."""
        kept = PairingKeys(address_type=keys.address_type, ltk=keys.ltk)
        self._file.bonds[name] = kept.to_dict()
        self._store()

    async def get(self, name: str) -> PairingKeys | None:
        """Called by bumble."""
        keys = self._file.bonds.get(name)
        return None if keys is None else PairingKeys.from_dict(keys)

    async def get_all(self) -> list[tuple[str, PairingKeys]]:
        """Called by bumble."""
        return [(name, PairingKeys.from_dict(keys)) for name, keys in self._file.bonds.items()]

    def _store(self) -> None:
        write_durably(self._path, msgspec.json.encode(self._file))


def _bare(name: str) -> str:
    """An address without its kind: bumble writes `/P` behind a public one."""
    return name.partition("/")[0].upper()


def _read(path: Path) -> BondsFile:
    try:
        file = msgspec.json.decode(path.read_bytes(), type=BondsFile)
        Address(file.address)
        if len(bytes.fromhex(file.irk)) != IRK_SIZE:
            raise ValueError(f"the identity resolving key is not {IRK_SIZE} octets")
        for keys in file.bonds.values():
            PairingKeys.from_dict(keys)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        # The keys stay out of the words.
        raise LineUnavailableError(f"{path} is damaged ({type(error).__name__})", f"rm {path}") from None
    return file
