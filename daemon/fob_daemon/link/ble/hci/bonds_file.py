"""The bonds of a controller of our own, on the disk: secret keys. Loads none of the radio's libraries."""

from collections.abc import Collection
from pathlib import Path
from typing import Any, Final

import msgspec
import structlog
from msgspec import Struct

from fob_daemon.files import read_secret, write_durably

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

BONDS_FILE: Final = "bluetooth.json"


class BondsFile(Struct, frozen=True, kw_only=True):
    """What the file holds: this computer's address and identity resolving key, which devices know it by.

    `bonds`: by the device's address, the keys as bumble writes them.
    """

    address: str
    irk: str
    bonds: dict[str, dict[str, Any]] = {}

    def write(self, path: Path) -> None:
        """Durably, readable by the owner only. Raises OSError."""
        write_durably(path, msgspec.json.encode(self))

    @classmethod
    def read(cls, path: Path) -> "BondsFile":
        """Raises PermissionsError for a file that others can read, ValueError for a damaged one, OSError."""
        return msgspec.json.decode(read_secret(path), type=cls)

    def without(self, address: str) -> "BondsFile":
        """The same with no bond with the device at an address of either kind."""
        return self.having({name: keys for name, keys in self.bonds.items() if bare(name) != address})

    def having(self, bonds: dict[str, dict[str, Any]]) -> "BondsFile":
        """The same with these bonds."""
        return msgspec.structs.replace(self, bonds=bonds)


def bare(name: str) -> str:
    """An address without its kind: bumble writes `/P` behind a public one."""
    return name.partition("/")[0].upper()


def delete_orphans(path: Path, paired: Collection[str]) -> None:
    """Delete the bonds with devices at other addresses than the `paired` ones, when the daemon starts.

    Raises PermissionsError for a file that others can read, OSError for one that cannot be read. A damaged one is the
    radio's to tell of.
    """
    try:
        file = BondsFile.read(path)
    except (FileNotFoundError, ValueError):
        return
    kept = {name: keys for name, keys in file.bonds.items() if bare(name) in paired}
    if kept != file.bonds:
        try:
            file.having(kept).write(path)
        except OSError as error:
            # No reason not to start: the next start tries again.
            _log.warning("ble.orphan_bonds_not_deleted", why=str(error))
