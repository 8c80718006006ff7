"""What the device tells of its objects (docs/protocol.md, section 4)."""

from dataclasses import dataclass

from fob_protocol.history.record import SignedRecord
from fob_protocol.pkcs11.attributes import Attributes
from fob_protocol.pkcs11.cka import Cka


@dataclass(frozen=True, slots=True)
class DeviceObject:
    """An object on the device: its handle there, the generation of its last change, its readable attributes."""

    device_handle: int
    generation: int
    attributes: Attributes

    @property
    def is_token_object(self) -> bool:
        """False for an object that goes with the link session."""
        return self.attributes.get(Cka.TOKEN) is True


@dataclass(frozen=True, slots=True)
class Page:
    """What changed: `generation` is that of the whole page; `full` replaces all that was known; `more` is to come."""

    generation: int
    full: bool
    more: bool
    objects: tuple[DeviceObject, ...] = ()
    gone: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """Records of a device's history; `next` is where to go on, and `more` is to come."""

    next: int
    more: bool
    records: tuple[SignedRecord, ...]
