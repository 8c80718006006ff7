"""An open line by radio: octets as values of two GATT characteristics."""

import asyncio
from collections.abc import Callable
from typing import Final

from bleak import BleakClient
from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.exc import BleakCharacteristicNotFoundError

from fob_daemon.link.ble.deadlines import GATT_TIME, deadline
from fob_daemon.link.ble.errors import STACK_ERRORS
from fob_daemon.link.transport import LineUnavailableError
from fob_protocol.link.gatt import ATT_HEADER, TO_DEVICE_UUID, TO_PC_UUID, VALUE_LIMIT, value_size
from fob_protocol.session.air import MeasuredInterval, air_pace
from fob_protocol.session.pace import Pace

# What waits to be sent: as many requests as may be in flight, each a full frame (22,400 octets), and sent again,
# and the parts of long ones. A radio that takes nothing for longer is stuck.
UNSENT_LIMIT: Final = 65_536

# Until a question was answered, an interval that nobody tells counts as no shorter than this, in seconds: a stack may
# have subscribed before, and say so at once.
GUESS_LEAST: Final = 0.25

# An interval in seconds, None where the stack does not tell.
Told = Callable[[], float | None]


class BleLine:
    """A Line. Whoever made its connection ends that when the line is `lost`."""

    def __init__(self, on_data: Callable[[bytes], None]) -> None:
        self.lost = asyncio.Event()
        self.octets_sent = 0
        self.octets_received = 0
        self._on_data = on_data
        self._waiting = bytearray()
        # What waits, and what the stack has not taken yet.
        self._unsent = 0
        self._written = asyncio.Event()
        self._to_device: BleakGATTCharacteristic | None = None
        self._pump: asyncio.Task[None] | None = None
        self._told: Told = _untold
        self._interval: float | None = None
        self._measured: MeasuredInterval | None = None

    @property
    def pace(self) -> Pace:
        """As the connection's interval and MTU are now, or were when it ended."""
        if self._measured is not None:
            self._interval = self._measured.seconds
        else:
            self._interval = self._told() or self._interval
        return air_pace(self._interval, self._value_size)

    def took(self, seconds: float) -> None:
        """A question was answered so many seconds after it was first sent."""
        if self._measured is not None:
            self._measured.took(seconds)

    async def start(self, client: BleakClient, told: Told) -> None:
        """Subscribe: the device's line begins. Raises LineUnavailableError, or one of STACK_ERRORS."""
        self._told = told
        self._to_device = _characteristic(client, TO_DEVICE_UUID)
        to_pc = _characteristic(client, TO_PC_UUID)
        clock = asyncio.get_running_loop().time
        began = clock()
        async with deadline(self.pace.stretched(GATT_TIME), "subscribing"):
            await client.start_notify(to_pc, self._notified)
        if self._interval is None:
            self._measured = MeasuredInterval(max(clock() - began, GUESS_LEAST))
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
        self._waiting += data
        self._written.set()

    def close(self) -> None:
        """End the line at once; called too when the connection ended."""
        self.lost.set()
        self._waiting.clear()
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
        """The one that writes: each value when the stack has taken the one before, so that none overtakes another.

        What waits meanwhile travels together: a packet costs the same with little in it.
        """
        try:
            while True:
                await self._written.wait()
                self._written.clear()
                while self._waiting:
                    size = value_size(self._value_size + ATT_HEADER)
                    value = bytes(self._waiting[:size])
                    del self._waiting[:size]
                    async with deadline(self.pace.stretched(GATT_TIME), "writing"):
                        await client.write_gatt_char(to_device, value, response=False)
                    self._unsent -= len(value)
        except STACK_ERRORS:
            self.close()


def _untold() -> float | None:
    return None


def _characteristic(client: BleakClient, uuid: str) -> BleakGATTCharacteristic:
    found = client.services.get_characteristic(uuid)
    if found is None:
        raise BleakCharacteristicNotFoundError(uuid)
    return found
