"""What bumble discovers, as bleak's service collection."""

from collections.abc import Callable, Iterable

from bleak.assigned_numbers import gatt_char_props_to_strs
from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.backends.descriptor import BleakGATTDescriptor
from bleak.backends.service import BleakGATTService, BleakGATTServiceCollection
from bleak.uuids import normalize_uuid_str
from bumble.core import UUID
from bumble.gatt_client import Client, ServiceProxy


async def discover(client: Client, wanted: Iterable[str], value_size: Callable[[], int]) -> BleakGATTServiceCollection:
    """The services of these UUIDs, or all: each question is a round trip, two connection intervals.

    Raises BaseBumbleError; asyncio.CancelledError when the connection ended.
    """
    found = BleakGATTServiceCollection()
    for service in await _services(client, tuple(wanted)):
        found.add_service(BleakGATTService(service, service.handle, _text(service.uuid)))
        for proxy in await client.discover_characteristics((), service):
            characteristic = BleakGATTCharacteristic(
                proxy,
                proxy.handle,
                _text(proxy.uuid),
                list(gatt_char_props_to_strs(int(proxy.properties))),
                value_size,
                found.services[service.handle],
            )
            found.add_characteristic(characteristic)
            for descriptor in await client.discover_descriptors(proxy):
                found.add_descriptor(
                    BleakGATTDescriptor(descriptor, descriptor.handle, _text(descriptor.type), characteristic)
                )
    return found


async def _services(client: Client, wanted: tuple[str, ...]) -> list[ServiceProxy]:
    if not wanted:
        return await client.discover_services()
    return [service for uuid in wanted for service in await client.discover_service(uuid)]


def _text(uuid: UUID) -> str:
    return normalize_uuid_str(uuid.to_hex_str("-"))
