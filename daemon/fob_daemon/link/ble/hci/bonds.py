"""The bonds of a controller of our own, as bumble asks for them: a new one counts when a pairing has proved it."""

import os
import shlex
from pathlib import Path
from typing import Any, Final

from bumble.hci import Address
from bumble.keys import KeyStore, PairingKeys

from fob_daemon.link.ble.hci.bonds_file import BondsFile, bare
from fob_daemon.link.transport import LineUnavailableError
from fob_daemon.permissions import PermissionsError

IRK_SIZE: Final = 16


class Bonds(KeyStore):
    """bumble's key store. Every change of the file is on disk before it counts."""

    def __init__(self, path: Path) -> None:
        """Raises LineUnavailableError when the file is damaged or open to others, OSError."""
        self._path = path
        # Made now, and proved by no pairing yet: when the daemon dies, nothing is left of them. A bond that such a one
        # is to replace stays in the file meanwhile.
        self._unproved: dict[str, dict[str, Any]] = {}
        if path.exists():
            self._file = _read(path)
        else:
            address = Address.generate_static_address().to_string(with_type_qualifier=False)
            self._store(BondsFile(address=address, irk=os.urandom(IRK_SIZE).hex()))

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
        return any(bare(name) == address for name in self._newest)

    def is_authenticated(self, address: str) -> bool:
        """True for a bond whose making was authenticated."""
        keys = [PairingKeys.from_dict(keys) for name, keys in self._newest.items() if bare(name) == address]
        return any(key.ltk is not None and key.ltk.authenticated for key in keys)

    def keep(self, address: str) -> None:
        """The bond made now is proved, and replaces an older one. Raises LineUnavailableError."""
        made = {name: keys for name, keys in self._unproved.items() if bare(name) == address}
        if made:
            others = self._file.without(address)
            self._store(others.having(others.bonds | made))
            self.give_up(address)

    def give_up(self, address: str) -> None:
        """The bond made now came to nothing; an older one counts again."""
        self._unproved = {name: keys for name, keys in self._unproved.items() if bare(name) != address}

    def remove(self, address: str) -> None:
        """Forget the device at an address of either kind. Raises LineUnavailableError."""
        self.give_up(address)
        others = self._file.without(address)
        if others != self._file:
            self._store(others)

    async def delete(self, name: str) -> None:
        """Called by bumble."""
        self.remove(bare(name))

    async def update(self, name: str, keys: PairingKeys) -> None:
        """Called by bumble. Kept is the link's key alone: a device has a fixed address, there is none to resolve."""
        self._unproved[name] = PairingKeys(address_type=keys.address_type, ltk=keys.ltk).to_dict()

    async def get(self, name: str) -> PairingKeys | None:
        """Called by bumble."""
        keys = self._newest.get(name)
        return None if keys is None else PairingKeys.from_dict(keys)

    async def get_all(self) -> list[tuple[str, PairingKeys]]:
        """Called by bumble."""
        return [(name, PairingKeys.from_dict(keys)) for name, keys in self._newest.items()]

    @property
    def _newest(self) -> dict[str, dict[str, Any]]:
        return self._file.bonds | self._unproved

    def _store(self, file: BondsFile) -> None:
        try:
            file.write(self._path)
        except OSError as error:
            why = f"{self._path} cannot be written: {error.strerror or error}"
            raise LineUnavailableError(why, f"df -h {shlex.quote(str(self._path.parent))}") from None
        self._file = file


def _read(path: Path) -> BondsFile:
    try:
        file = BondsFile.read(path)
        Address(file.address)
        if len(bytes.fromhex(file.irk)) != IRK_SIZE:
            raise ValueError(f"the identity resolving key is not {IRK_SIZE} octets")
        for keys in file.bonds.values():
            PairingKeys.from_dict(keys)
    except PermissionsError as error:
        raise LineUnavailableError(str(error), error.next_command) from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        # The keys stay out of the words.
        raise LineUnavailableError(
            f"{path} is damaged ({type(error).__name__})", f"rm {shlex.quote(str(path))}"
        ) from None
    return file
