"""What the device keeps for its back office, sealed under the root key item by item; secrets of the user under the PIN.

The phone itself knows no more of them than this: what they mean is in fob_device/office.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from fob_device.history.journal import NO_JOURNAL, Journal
from fob_device.store.database import Database
from fob_device.store.errors import TokenFileError
from fob_device.store.office_rows import (
    delete_office_item,
    read_office_item,
    read_office_names,
    write_office_item,
)
from fob_device.token.device_root import DeviceRoot
from fob_device.token.sealing import SealBrokenError, seal, unseal
from fob_protocol.history.entry import Entry

# Items begin so; one is there when a factory made the phone a device of a back office, whatever else is missing.
FACTORY_ITEMS: Final = "factory/"

_PURPOSE: Final = "Fob office item 1"
_USER_PURPOSE: Final = "Fob office secret under the PIN 1"


@dataclass(frozen=True, slots=True)
class SealedItems:
    """Items by name; a seal is bound to its name. Every method raises CkrError for a file that cannot be used."""

    database: Database = field(repr=False)
    root: DeviceRoot
    journal: Journal = NO_JOURNAL

    @property
    def is_made(self) -> bool:
        """Whether a factory was here."""
        return any(name.startswith(FACTORY_ITEMS) for name in self.names())

    def names(self) -> list[str]:
        """Of all that is kept."""
        return self.database.read(read_office_names)

    def get(self, name: str) -> bytes | None:
        """What was stored last. Raises TokenFileError for an item that this device did not write."""
        sealed = self.database.read(lambda connection: read_office_item(connection, name))
        if sealed is None:
            return None
        try:
            return self.root.unseal(_PURPOSE, sealed, name)
        except SealBrokenError:
            raise TokenFileError(f"what is kept for the back office ({name}) was altered") from None

    def put(self, items: Mapping[str, bytes | None], entry: Entry | None = None) -> None:
        """All of them at once, and on the disk when this returns; None forgets an item.

        `entry` goes into the history with them.
        """
        with self.database.transaction() as connection:
            for name, octets in items.items():
                if octets is None:
                    delete_office_item(connection, name)
                else:
                    write_office_item(connection, name, self.root.seal(_PURPOSE, octets, name))
            if entry is not None:
                self.journal.write(connection, entry)

    def wrap(self, master_key: bytes, name: str, secret: bytes) -> bytes:
        """A secret of the user, as keys are sealed: only the PIN opens it."""
        return seal(master_key, secret, self.root.bind(_USER_PURPOSE, name), self.root.random)

    def unwrap(self, master_key: bytes, name: str, wrapped: bytes) -> bytes:
        """What `wrap` sealed. Raises TokenFileError."""
        try:
            return unseal(master_key, wrapped, self.root.bind(_USER_PURPOSE, name))
        except SealBrokenError:
            raise TokenFileError(f"what is kept for the back office ({name}) was altered") from None
