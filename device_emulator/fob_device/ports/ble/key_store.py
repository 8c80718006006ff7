"""The phone's bonds as the Bluetooth stack asks for them."""

from bumble import hci
from bumble.keys import KeyStore, PairingKeys

from fob_device.bonds import Bond, Bonds

PUBLIC_SUFFIX = "/P"


class BondKeyStore(KeyStore):
    """Read only: a bond is stored when its computer is paired, not when the stack made its keys (see `link.py`)."""

    def __init__(self, bonds: Bonds) -> None:
        self._bonds = bonds

    async def update(self, name: str, keys: PairingKeys) -> None:
        """Nothing yet."""

    async def delete(self, name: str) -> None:
        """Never asked for: bonds go with their pairings."""
        raise NotImplementedError

    async def get(self, _name: str) -> PairingKeys | None:
        """The keys of an address, None when it has no bond. Raises CkrError, TokenFileError."""
        bond = self._bonds.find(_name)
        return None if bond is None else as_pairing_keys(bond)

    async def get_all(self) -> list[tuple[str, PairingKeys]]:
        """Every bond: the stack learns from it whose private addresses it can resolve."""
        return [(bond.address, as_pairing_keys(bond)) for bond in self._bonds.all()]


def as_pairing_keys(bond: Bond) -> PairingKeys:
    """A bond in the stack's words."""
    is_public = bond.address.endswith(PUBLIC_SUFFIX)
    return PairingKeys(
        address_type=hci.Address.PUBLIC_DEVICE_ADDRESS if is_public else hci.Address.RANDOM_DEVICE_ADDRESS,
        ltk=PairingKeys.Key(bond.ltk, authenticated=True),
        irk=None if bond.irk is None else PairingKeys.Key(bond.irk, authenticated=True),
    )
