"""A bare Bluetooth peripheral that sends every value back: the other side for tests of the radio itself."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from bumble import hci
from bumble.device import Connection, Device
from bumble.gatt import Characteristic, CharacteristicValue, Service
from bumble.transport.common import Transport
from bumble.utils import AsyncRunner

from fob_protocol.link.gatt import SERVICE_UUID, TO_DEVICE_UUID, TO_PC_UUID

ADDRESS: Final = "C4:00:00:00:00:01"
ADVERTISING_DATA: Final = bytes.fromhex("020106")
SCAN_RESPONSE: Final = bytes.fromhex("05096563686f")

# Milliseconds.
ADVERTISING_INTERVAL: Final = 100


@asynccontextmanager
async def echo_peripheral(transport: Transport, address: str = ADDRESS) -> AsyncIterator[Device]:
    """One that is switched on and advertises whenever nobody is connected; off the air at the end."""
    device = Device.with_hci("echo", hci.Address(address), *transport)

    def write(connection: Connection, value: bytes) -> None:
        # Bumble's own way to start a task that nobody waits for; it leaves it untyped.
        AsyncRunner.spawn(device.notify_subscriber(connection, to_pc, value))  # type: ignore[no-untyped-call]

    to_device: Characteristic[bytes] = Characteristic(
        TO_DEVICE_UUID,
        Characteristic.Properties.WRITE | Characteristic.Properties.WRITE_WITHOUT_RESPONSE,
        Characteristic.WRITEABLE,
        CharacteristicValue(write=write),
    )
    to_pc: Characteristic[bytes] = Characteristic(
        TO_PC_UUID, Characteristic.Properties.NOTIFY, Characteristic.READABLE, b""
    )
    device.add_service(Service(SERVICE_UUID, [to_device, to_pc]))
    await device.power_on()
    await device.start_advertising(
        auto_restart=True,
        advertising_data=ADVERTISING_DATA,
        scan_response_data=SCAN_RESPONSE,
        advertising_interval_min=ADVERTISING_INTERVAL,
        advertising_interval_max=ADVERTISING_INTERVAL,
    )
    try:
        yield device
    finally:
        await transport.close()
