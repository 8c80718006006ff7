"""An open line by radio: octets as values of two GATT characteristics."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final

from bleak import BleakClient
from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.exc import BleakCharacteristicNotFoundError

from fob_daemon.link.ble.deadlines import GATT_TIME, deadline
from fob_daemon.link.ble.errors import STACK_ERRORS
from fob_daemon.link.transport import LineUnavailableError
from fob_protocol.link.gatt import ATT_HEADER, TO_DEVICE_UUID, TO_PC_UUID, VALUE_LIMIT, split_values

# What waits to be sent: as many requests as may be unanswered, each a full frame (22,400 octets), and sent again,
# and the parts of long ones. A radio that takes nothing for longer is stuck.
UNSENT_LIMIT: Final = 65_536

# The radio carries about two full values in this time, in seconds (docs/protocol.md, section 8).
TWO_VALUES_TIME: Final = 0.05


class BleLine:
    """A Line. Whoever made its connection ends that when the line is `lost`."""

    def __init__(self, on_data: Callable[[bytes], None]) -> None:
        self.lost = asyncio.Event()
        self.octets_sent = 0
        self.octets_received = 0
        self._on_data = on_data
        self._values: deque[bytes] = deque()
        self._unsent = 0
        self._written = asyncio.Event()
        self._to_device: BleakGATTCharacteristic | None = None
        self._pump: asyncio.Task[None] | None = None

    @property
    def rate(self) -> float:
        """Octets per second at the connection's MTU."""
        return 2 * self._value_size / TWO_VALUES_TIME

    async def start(self, client: BleakClient) -> None:
        """Subscribe: the device's line begins. Raises LineUnavailableError, or one of STACK_ERRORS."""
        self._to_device = _characteristic(client, TO_DEVICE_UUID)
        to_pc = _characteristic(client, TO_PC_UUID)
        async with deadline(GATT_TIME, "subscribing"):
            await client.start_notify(to_pc, self._notified)
        if self.lost.is_set():
            raise LineUnavailableError("the connection ended while it was made")
        self._pump = asyncio.create_task(self._send_values(client, self._to_device))

    def write(self, data: bytes) -> None:
        """Send octets; on a line that is gone they vanish, and `lost` tells."""
        if self.lost.is_set() or not data:
            return
        self.octets_sent += len(data)
        self._unsent += len(data)
        if self._unsent > UNSENT_LIMIT:
            self.close()
            return
        self._values.extend(split_values(data, self._value_size + ATT_HEADER))
        self._written.set()

    def close(self) -> None:
        """End the line at once; called too when the connection ended."""
        self.lost.set()
        self._values.clear()
        if self._pump is not None:
            self._pump.cancel()

    @property
    def _value_size(self) -> int:
        size = self._to_device.max_write_without_response_size if self._to_device is not None else VALUE_LIMIT
        return min(size, VALUE_LIMIT)

    def _notified(self, _: BleakGATTCharacteristic, value: bytearray) -> None:
        if not self.lost.is_set():
            self.octets_received += len(value)
            self._on_data(bytes(value))

    async def _send_values(self, client: BleakClient, to_device: BleakGATTCharacteristic) -> None:
        """The one that writes: each value when the stack has taken the one before, so that none overtakes another."""
        try:
            while True:
                await self._written.wait()
                self._written.clear()
                while self._values:
                    value = self._values.popleft()
                    async with deadline(GATT_TIME, "writing"):
                        await client.write_gatt_char(to_device, value, response=False)
                    self._unsent -= len(value)
        except STACK_ERRORS:
            self.close()


def _characteristic(client: BleakClient, uuid: str) -> BleakGATTCharacteristic:
    found = client.services.get_characteristic(uuid)
    if found is None:
        raise BleakCharacteristicNotFoundError(uuid)
    return found
