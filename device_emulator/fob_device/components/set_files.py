"""The two sets on the disk: the file of each holds what the office granted, as it was signed."""

from fob_device.components.boot_record import Held, Slot
from fob_device.components.offer import Offer
from fob_device.components.storage import Storage
from fob_protocol.cose import sign1
from fob_protocol.office.configuration import Granted
from fob_protocol.office.errors import Fault, OfficeError
from fob_protocol.office.hashing import digest
from fob_protocol.office.manifest import Manifest
from fob_protocol.office.message import read


def set_file(slot: Slot) -> str:
    """The name of a slot's file."""
    return f"set-{slot}"


class SetFiles:
    """No boot record speaks of a slot while its file is written."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def write(self, slot: Slot, set_number: int, offer: Offer) -> Held:
        """On the disk when this returns."""
        octets = offer.octets()
        self._storage.write(set_file(slot), octets)
        self._storage.flush(set_file(slot))
        return Held(slot, set_number, digest(octets))

    def read(self, held: Held) -> Offer:
        """What was granted then. Raises OfficeError WRONG_DIGEST."""
        octets = self._storage.read(set_file(held.slot))
        if octets is None or digest(octets) != held.digest:
            raise OfficeError(Fault.WRONG_DIGEST, f"the file of set {held.set_number} is not what was stored")
        return read(Offer, octets)

    def releases(self, held: Held) -> list[bytes]:
        """The digests of the releases of a set. Raises OfficeError."""
        granted = read(Granted, self.read(held).granted)
        # It was verified before it was stored, and is unchanged since.
        return [entry.release for entry in read(Manifest, sign1.unverified_payload(granted.manifest)).entries]
