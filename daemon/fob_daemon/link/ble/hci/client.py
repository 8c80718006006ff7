"""bleak's client on bumble."""

import asyncio
from collections.abc import Callable, Collection
from contextlib import suppress
from typing import Any, Final

from bleak.args import SizedBuffer
from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.backends.client import BaseBleakClient, NotifyCallback
from bleak.backends.descriptor import BleakGATTDescriptor
from bleak.backends.device import BLEDevice
from bleak.exc import BleakError
from bumble.core import BaseBumbleError
from bumble.device import Connection, ConnectionParametersPreferences, Device
from bumble.gatt_client import Client
from bumble.hci import Address, HCI_ErrorCode, HCI_LE_Create_Connection_Cancel_Command, Phy

from fob_daemon.link.ble.hci.errors import bleak_errors
from fob_daemon.link.ble.hci.host import HciHost, bare_address
from fob_daemon.link.ble.hci.services import discover
from fob_protocol.link.gatt import ATT_HEADER, MTU_LEAST, MTU_OFFERED

# Milliseconds without a packet after which a connection is over: as Linux has it, a program hears of it in time.
SUPERVISION_TIMEOUT: Final = 420
PARAMETERS: Final = {Phy.LE_1M: ConnectionParametersPreferences(supervision_timeout=SUPERVISION_TIMEOUT)}

# Seconds in which a controller confirms that it gave up connecting.
CANCEL_TIME: Final = 1.0


class HciClient(BaseBleakClient):
    """A connection, or none. bleak's `**kwargs` carry the host."""

    def __init__(
        self,
        address_or_ble_device: BLEDevice | str,
        *,
        disconnected_callback: Callable[[], None] | None,
        timeout: float,
        host: HciHost,
        services: Collection[str] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(address_or_ble_device, disconnected_callback=disconnected_callback, timeout=timeout, **kwargs)
        if not isinstance(address_or_ble_device, BLEDevice):
            raise BleakError("a device is connected with as the scanner found it: an address has two kinds")
        self._peer: Address = address_or_ble_device.details
        self._name = address_or_ble_device.name or self.address
        self._host = host
        self._wanted = services or ()
        self._connection: Connection | None = None
        self._mtu = MTU_LEAST

    @property
    def name(self) -> str:
        """As it advertised."""
        return self._name

    @property
    def mtu_size(self) -> int:
        """The ATT MTU that was agreed on, also when the connection has ended."""
        return self._mtu

    @property
    def is_connected(self) -> bool:
        """Whether there is a connection."""
        return self._connection is not None

    async def connect(self, pair: bool, **kwargs: Any) -> None:
        """Connect. Raises BleakError.

        `discover` comes later: bleak-retry-connector bounds this by a minute, and at long connection intervals that
        takes longer.
        """
        with bleak_errors():
            device = await self._host.device()
            async with self._host.connecting:
                connection = await _connect(device, self._peer)
            self._connection = connection
            self._host.clients[bare_address(self._peer)] = self
            connection.on(connection.EVENT_DISCONNECTION, self._disconnected)
            if pair:
                try:
                    await self.pair()
                except BaseException:
                    await self.disconnect()
                    raise

    async def discover(self) -> None:
        """Agree on the MTU, find the service. Raises BleakError."""
        with bleak_errors():
            client = self._client
            self._mtu = await client.request_mtu(MTU_OFFERED)
            self.services = await discover(client, self._wanted, lambda: self.mtu_size - ATT_HEADER)

    async def disconnect(self) -> None:
        """End the connection, if there is one. Raises BleakError."""
        if self._connection is not None:
            with bleak_errors():
                await self._connection.disconnect(HCI_ErrorCode.REMOTE_USER_TERMINATED_CONNECTION_ERROR)

    async def pair(self, *args: Any, **kwargs: Any) -> None:
        """Bond, if the host may with this device at this moment. Raises BleakError."""
        with bleak_errors():
            await self._connected.pair()

    async def unpair(self) -> None:
        """Delete the bond, and end the connection that it encrypts. Raises BleakError."""
        self._host.bonds.remove(bare_address(self._peer))
        await self.disconnect()

    async def read_gatt_char(
        self, characteristic: BleakGATTCharacteristic, *, use_cached: bool = False, **kwargs: Any
    ) -> bytearray:
        """Read a characteristic. Raises BleakError."""
        return await self._read(characteristic.handle)

    async def read_gatt_descriptor(
        self, descriptor: BleakGATTDescriptor, *, use_cached: bool = False, **kwargs: Any
    ) -> bytearray:
        """Read a descriptor. Raises BleakError."""
        return await self._read(descriptor.handle)

    async def write_gatt_char(self, characteristic: BleakGATTCharacteristic, data: SizedBuffer, response: bool) -> None:
        """Write a characteristic; without response, until the controller has taken it. Raises BleakError."""
        with bleak_errors():
            await self._client.write_value(characteristic.handle, bytes(data), with_response=response)
            if not response:
                await self._taken()

    async def write_gatt_descriptor(self, descriptor: BleakGATTDescriptor, data: SizedBuffer) -> None:
        """Write a descriptor. Raises BleakError."""
        with bleak_errors():
            await self._client.write_value(descriptor.handle, bytes(data), with_response=True)

    async def start_notify(
        self, characteristic: BleakGATTCharacteristic, callback: NotifyCallback, **kwargs: Any
    ) -> None:
        """Subscribe. Raises BleakError."""
        with bleak_errors():
            await self._client.subscribe(characteristic.obj, lambda value: callback(bytearray(value)))

    async def stop_notify(self, characteristic: BleakGATTCharacteristic) -> None:
        """Unsubscribe. Raises BleakError."""
        with bleak_errors():
            await self._client.unsubscribe(characteristic.obj)

    async def _read(self, handle: int) -> bytearray:
        with bleak_errors():
            return bytearray(await self._client.read_value(handle))

    async def _taken(self) -> None:
        """Wait until no packet waits in the host: then the controller has all of them."""
        connection = self._connected
        queue = connection.data_packet_queue
        if queue is None:
            return
        moved = asyncio.Event()
        queue.on("flow", moved.set)
        try:
            while queue.pending > queue.max_in_flight:
                moved.clear()
                await connection.cancel_on_disconnection(moved.wait())
        finally:
            queue.remove_listener("flow", moved.set)

    @property
    def _connected(self) -> Connection:
        if self._connection is None:
            raise BleakError("not connected")
        return self._connection

    @property
    def _client(self) -> Client:
        return self._connected.gatt_client

    def _disconnected(self, _: int) -> None:
        self._connection = None
        if self._host.clients.get(bare_address(self._peer)) is self:
            del self._host.clients[bare_address(self._peer)]
        self.services = None
        if self._disconnected_callback is not None:
            self._disconnected_callback()


async def _connect(device: Device, peer: Address) -> Connection:
    """Connect; when cancelled, the controller stops trying too. Raises BaseBumbleError."""
    attempt = asyncio.ensure_future(device.connect_le(peer, PARAMETERS, timeout=None))
    try:
        return await asyncio.shield(attempt)
    except asyncio.CancelledError:
        await _give_up(device, attempt)
        raise


async def _give_up(device: Device, attempt: "asyncio.Future[Connection]") -> None:
    # The controller refuses when the attempt has just succeeded or failed.
    with suppress(BaseBumbleError):
        await device.send_sync_command(HCI_LE_Create_Connection_Cancel_Command())
    try:
        async with asyncio.timeout(CANCEL_TIME):
            connection = await attempt
            await connection.disconnect(HCI_ErrorCode.REMOTE_USER_TERMINATED_CONNECTION_ERROR)
    except (BaseBumbleError, TimeoutError, asyncio.CancelledError):
        return
