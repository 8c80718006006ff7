"""What the factory gives a device: made once, kept sealed item by item, found again at every start (C12)."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from fob_device.components.equipment import Equipment, Supplied
from fob_device.components.memory_map import MemoryMap
from fob_device.sealed_items import FACTORY_ITEMS, SealedItems
from fob_protocol.noise.keys import Random
from fob_protocol.office.certificate import Certificate, Usage, read_certificate
from fob_protocol.office.configuration import Variant
from fob_protocol.office.errors import Fault, OfficeError
from fob_protocol.office.factory import FactoryRecord, Region, RegionUse
from fob_protocol.office.message import Count, Message, read

RECORD: Final = "factory record"
# How the device shows who it is.
VARIANT: Final = "identity variant"

# An emulator knows a program by its image.
BOOT_PROGRAM: Final = b"Fob boot program 1"
LOADER: Final = b"Fob loader 1"
# As much as the largest set has of both kinds together, for each.
REGION_SIZE: Final = 8 << 20
MEMORY_MAP: Final = MemoryMap(
    vector=0,
    loader=0x1000,
    regions=(
        Region("programs", 0x10_0000, REGION_SIZE, RegionUse.MODULES),
        Region("data", 0x10_0000 + REGION_SIZE, REGION_SIZE, RegionUse.DATA),
    ),
)

_SECRET_SIZE: Final = 32


class _Places(Message, frozen=True):
    """A memory map as it is kept."""

    vector: Count
    loader: Count
    regions: tuple[Region, ...]


def _places_octets(memory_map: MemoryMap) -> bytes:
    return _Places(memory_map.vector, memory_map.loader, memory_map.regions).octets()


def _read_places(octets: bytes) -> MemoryMap:
    places = read(_Places, octets)
    return MemoryMap(places.vector, places.loader, places.regions)


# Each item: how it is kept, and how it is read again.
_ENCODERS: Final[dict[str, Callable[[Equipment], bytes]]] = {
    "boot_program": lambda device: device.boot_program,
    "loader": lambda device: device.loader,
    "memory_map": lambda device: _places_octets(device.memory_map),
    "signing_key": lambda device: device.signing_key.private_bytes_raw(),
    "sealing_key": lambda device: device.sealing_key.private_bytes_raw(),
    "serial": lambda device: device.serial.encode(),
    "hardware": lambda device: device.hardware.encode(),
    "issuer": lambda device: device.issuer,
    "server_certificate": lambda device: device.server_certificate,
    "device_secret": lambda device: device.device_secret,
}
_DECODERS: Final[dict[str, Callable[[bytes], object]]] = {
    "memory_map": _read_places,
    "signing_key": Ed25519PrivateKey.from_private_bytes,
    "sealing_key": X25519PrivateKey.from_private_bytes,
    "serial": bytes.decode,
    "hardware": bytes.decode,
}


def make_equipment(issuer: bytes, certificate: bytes, serial: str, hardware: str, random: Random) -> Equipment:
    """A new device's: private parts are made here and stay. Raises OfficeError, EquipmentError."""
    _configuring(issuer, certificate)
    supplied = Supplied(
        boot_program=BOOT_PROGRAM,
        loader=LOADER,
        memory_map=MEMORY_MAP,
        signing_key=Ed25519PrivateKey.from_private_bytes(random(_SECRET_SIZE)),
        sealing_key=X25519PrivateKey.from_private_bytes(random(_SECRET_SIZE)),
        serial=serial,
        hardware=hardware,
        issuer=issuer,
        server_certificate=certificate,
        device_secret=random(_SECRET_SIZE),
    )
    return Equipment.complete(supplied)


def factory_record(device: Equipment, title: str) -> bytes:
    """What the office learns of it, sealed to the configuration server."""
    record = FactoryRecord(
        device.serial,
        device.hardware,
        title,
        device.signing_key.public_key().public_bytes_raw(),
        device.sealing_key.public_key().public_bytes_raw(),
        device.authorisation_key,
        device.memory_map.regions,
    )
    server = read_certificate(device.issuer, device.server_certificate)
    return record.sealed(device.signing_key, server.sealing_key)


def certify_anew(items: SealedItems, certificate: bytes, title: str) -> None:
    """The configuration server's newer certificate for a device that never spoke to it, and the record sealed to that.

    Raises OfficeError, EquipmentError, TokenFileError; nothing is changed then.
    """
    old = Equipment.complete(load_supplied(items))
    before = read_certificate(old.issuer, old.server_certificate)
    now = _configuring(old.issuer, certificate)
    if now.server != before.server:
        raise OfficeError(Fault.OTHER_SERVER, f"the device belongs to {before.server}, not to {now.server}")
    if now.epoch < before.epoch:
        raise OfficeError(Fault.ROLLBACK, f"the device has a newer certificate, of epoch {before.epoch}")
    device = replace(old, server_certificate=certificate)
    items.put({FACTORY_ITEMS + "server_certificate": certificate, RECORD: factory_record(device, title)})


def _configuring(issuer: bytes, certificate: bytes) -> Certificate:
    server = read_certificate(issuer, certificate)
    if Usage.CONFIGURATION not in server.usages:
        raise OfficeError(Fault.OTHER_USAGE, f"{server.server} may not configure devices")
    return server


def save_equipment(
    items: SealedItems, device: Equipment, record: bytes, variant: int = Variant.SEALED_IDENTIFIER
) -> None:
    """On the disk when this returns, all of it or nothing."""
    kept = {FACTORY_ITEMS + name: encode(device) for name, encode in _ENCODERS.items()}
    items.put({**kept, RECORD: record, VARIANT: bytes([variant])})


def load_supplied(items: SealedItems) -> Supplied:
    """The items as they are found. Raises TokenFileError for one that was altered."""
    found: dict[str, Any] = {}
    for name in _ENCODERS:
        octets = items.get(FACTORY_ITEMS + name)
        decode = _DECODERS.get(name)
        found[name] = decode(octets) if octets and decode else octets
    return Supplied(**found)
