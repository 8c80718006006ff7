"""What the device tells of itself and of its objects (docs/protocol.md, section 4)."""

from dataclasses import dataclass

from fob_daemon.cryptoki.interface import Version
from fob_protocol.pkcs11.attributes import Attributes
from fob_protocol.pkcs11.cka import Cka
from fob_protocol.pkcs11.flags import TokenFlag


@dataclass(frozen=True, slots=True)
class TokenDescription:
    """C_GetTokenInfo as the device answers it; PIN lengths in octets."""

    label: str
    manufacturer: str
    model: str
    serial: str
    flags: TokenFlag
    min_pin: int
    max_pin: int
    hardware_version: Version
    firmware_version: Version


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
