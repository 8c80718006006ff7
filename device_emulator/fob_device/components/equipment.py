"""What the factory gives a device, whole or not at all (C12)."""

from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from fob_device.components.errors import EquipmentError
from fob_device.components.memory_map import MemoryMap
from fob_protocol.cose.headers import key_id
from fob_protocol.office.certificate import read_certificate
from fob_protocol.office.errors import OfficeError
from fob_protocol.office.factory import Serial, authorisation_key
from fob_protocol.office.message import Name, Octets32

_KINDS: Final = {"serial": Serial, "hardware": Name, "issuer": Octets32, "device_secret": Octets32}


@dataclass(frozen=True)
class Supplied:
    """The items as they are found; None is one that is missing."""

    boot_program: bytes | None = None
    loader: bytes | None = None
    memory_map: MemoryMap | None = None
    signing_key: Ed25519PrivateKey | None = field(default=None, repr=False)
    sealing_key: X25519PrivateKey | None = field(default=None, repr=False)
    serial: str | None = None
    hardware: str | None = None
    issuer: bytes | None = None
    server_certificate: bytes | None = None
    device_secret: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Equipment:
    """The images of boot program and loader, the system key's two halves, the issuer's public key, the rest by name."""

    boot_program: bytes
    loader: bytes
    memory_map: MemoryMap
    signing_key: Ed25519PrivateKey = field(repr=False)
    sealing_key: X25519PrivateKey = field(repr=False)
    serial: str
    hardware: str
    issuer: bytes
    server_certificate: bytes
    device_secret: bytes = field(repr=False)

    @classmethod
    def complete(cls, supplied: Supplied) -> "Equipment":
        """All of it. Raises EquipmentError for the first item that is missing or of no use."""
        items = {item.name: getattr(supplied, item.name) for item in fields(supplied)}
        for name, value in items.items():
            if not value:
                raise EquipmentError(name.replace("_", " "), "the factory has not given it")
        equipment = cls(**items)
        equipment.memory_map.check(len(equipment.loader))
        for name, kind in _KINDS.items():
            _check_kind(name.replace("_", " "), kind, items[name])
        equipment._check_server()
        return equipment

    @cached_property
    def key_id(self) -> bytes:
        """What manifests name this device by."""
        return key_id(self.signing_key.public_key().public_bytes_raw())

    @cached_property
    def authorisation_key(self) -> bytes:
        """Known to this device and its office (MP4)."""
        return authorisation_key(self.device_secret, self.serial)

    @cached_property
    def server(self) -> str:
        """The configuration server that this device belongs to (C25)."""
        return read_certificate(self.issuer, self.server_certificate).server

    def _check_server(self) -> None:
        try:
            read_certificate(self.issuer, self.server_certificate)
        except OfficeError as error:
            raise EquipmentError("server certificate", error.why) from None


def _check_kind(item: str, kind: object, value: object) -> None:
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise EquipmentError(item, str(error)) from None
