"""A bare Bluetooth central on bumble: it speaks GATT and nothing of ours, as a stranger's computer would."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

from bumble import hci
from bumble.core import UUID
from bumble.core import TimeoutError as BumbleTimeoutError
from bumble.device import Advertisement, Connection, ConnectionParametersPreferences, Device, Peer
from bumble.gatt_client import CharacteristicProxy
from bumble.keys import MemoryKeyStore
from bumble.pairing import PairingConfig, PairingDelegate
from bumble.transport.common import Transport

from fob_protocol.link.gatt import MTU_OFFERED, TO_DEVICE_UUID, TO_PC_UUID

# Seconds; nothing of a test takes longer on a table.
PATIENCE: Final = 10.0

# What a computer asks for, in milliseconds.
SUPERVISION: Final = 720

CONFIGURATION: Final = UUID.from_16_bits(0x2902)
SUBSCRIBE: Final = b"\1\0"


class Central:
    """A host with its controller; `connection` and what was `received` as notifications belong to the newest one."""

    def __init__(self, transport: Transport, address: str) -> None:
        self.address = address
        self.transport = transport
        self.device = Device.with_hci("central", hci.Address(address), *transport)
        self.device.keystore = MemoryKeyStore()
        self.received = bytearray()
        self.values: list[bytes] = []
        # Takes the values instead, while it is set.
        self.on_value: Callable[[bytes], None] | None = None
        self._news = asyncio.Event()
        self._connection: Connection | None = None
        self._peer: Peer | None = None
        self.use(PairingConfig(delegate=PairingDelegate(PairingDelegate.DISPLAY_OUTPUT_AND_YES_NO_INPUT)))

    def use(self, config: PairingConfig) -> None:
        """How it bonds; unless told otherwise by Secure Connections and numeric comparison, and it says yes."""
        config.identity_address_type = PairingConfig.AddressType.RANDOM
        self.device.pairing_config_factory = lambda connection: config

    @property
    def connection(self) -> Connection:
        """The newest connection, which may have ended."""
        assert self._connection is not None
        return self._connection

    @property
    def is_connected(self) -> bool:
        """True until the connection ended."""
        return self._connection is not None and self._connection.handle in self.device.connections

    async def scan(self, address: str, *, within: float = PATIENCE) -> Advertisement:
        """The first advertisement of a device. Raises TimeoutError."""
        found: asyncio.Future[Advertisement] = asyncio.get_running_loop().create_future()

        def on_advertisement(advertisement: Advertisement) -> None:
            if advertisement.address == hci.Address(address) and not found.done():
                found.set_result(advertisement)

        self.device.on(Device.EVENT_ADVERTISEMENT, on_advertisement)
        await self.device.start_scanning(filter_duplicates=False)
        try:
            async with asyncio.timeout(within):
                return await found
        finally:
            self.device.remove_listener(Device.EVENT_ADVERTISEMENT, on_advertisement)
            await self.device.stop_scanning()

    async def connect(
        self, address: str, *, mtu: int = MTU_OFFERED, supervision: int = SUPERVISION, within: float = PATIENCE
    ) -> None:
        """Connect, agree on an MTU and look at the services. Raises TimeoutError or bumble's ConnectionError."""
        preferences = {hci.HCI_LE_1M_PHY: ConnectionParametersPreferences(supervision_timeout=supervision)}
        try:
            self._connection = await self.device.connect_le(
                hci.Address(address), connection_parameters_preferences=preferences, timeout=within
            )
        except BumbleTimeoutError as error:
            raise TimeoutError from error
        self.received.clear()
        self.values.clear()
        self._peer = Peer(self._connection)
        async with asyncio.timeout(within):
            if mtu > self._connection.att_mtu:
                await self._peer.request_mtu(mtu)
            await self._peer.discover_services()
            for service in self._peer.services:
                for characteristic in await service.discover_characteristics():
                    await characteristic.discover_descriptors()

    async def disconnect(self) -> None:
        """End the connection; the device knows when this returns."""
        async with asyncio.timeout(PATIENCE):
            await self.connection.disconnect()

    async def gone(self) -> None:
        """Wait until the device or the distance has ended the connection. Raises TimeoutError."""
        ended = asyncio.Event()
        self.connection.once(Connection.EVENT_DISCONNECTION, lambda reason: ended.set())
        if self.is_connected:
            async with asyncio.timeout(PATIENCE):
                await ended.wait()

    async def bond(self) -> None:
        """Raises bumble's ProtocolError when the device refuses."""
        async with asyncio.timeout(PATIENCE):
            await self.connection.pair()

    async def encrypt(self) -> None:
        """Use the bond of an earlier connection. Raises bumble's HCI_Error when the device has lost it."""
        async with asyncio.timeout(PATIENCE):
            await self.connection.encrypt()

    def characteristic(self, uuid: str) -> CharacteristicProxy[bytes]:
        """One that the device offers."""
        assert self._peer is not None
        [found] = self._peer.get_characteristics_by_uuid(UUID(uuid))
        return found

    def handle(self, name: str) -> int:
        """The handle of `to device`, of `to pc`, or of the latter's `configuration`."""
        if name == "to device":
            return int(self.characteristic(TO_DEVICE_UUID).handle)
        characteristic = self.characteristic(TO_PC_UUID)
        if name == "to pc":
            return int(characteristic.handle)
        descriptor = characteristic.get_descriptor(CONFIGURATION)
        assert descriptor is not None
        return int(descriptor.handle)

    async def read(self, handle: int) -> bytes:
        """Read an attribute. Raises bumble's ATT_Error."""
        assert self._peer is not None
        async with asyncio.timeout(PATIENCE):
            return bytes(await self._peer.gatt_client.read_value(handle))

    async def write(self, handle: int, value: bytes, *, response: bool = True) -> None:
        """Write an attribute; without a response nobody says whether it was taken. Raises bumble's ATT_Error."""
        assert self._peer is not None
        async with asyncio.timeout(PATIENCE):
            await self._peer.gatt_client.write_value(handle, value, with_response=response)

    async def subscribe(self) -> None:
        """Begin the line. Raises bumble's ATT_Error."""
        assert self._peer is not None
        subscribers = self._peer.gatt_client.notification_subscribers
        subscribers.setdefault(self.handle("to pc"), set()).add(self._take)
        await self.write(self.handle("configuration"), SUBSCRIBE)

    async def send(self, octets: bytes) -> None:
        """Write one value of the line."""
        await self.write(self.handle("to device"), octets, response=False)

    async def receive_until(self, end: bytes, *, within: float = PATIENCE) -> bytes:
        """Everything received up to these octets, and no more. Raises TimeoutError."""
        async with asyncio.timeout(within):
            while end not in self.received:
                self._news.clear()
                await self._news.wait()
        cut = self.received.index(end) + len(end)
        octets = bytes(self.received[:cut])
        del self.received[:cut]
        return octets

    def _take(self, value: bytes) -> None:
        if self.on_value is not None:
            self.on_value(bytes(value))
            return
        self.values.append(bytes(value))
        self.received += value
        self._news.set()


@asynccontextmanager
async def central(transport: Transport, address: str = "C0:00:00:00:00:01") -> AsyncIterator[Central]:
    """A central that is switched on; off the air at the end."""
    host = Central(transport, address)
    await host.device.power_on()
    try:
        yield host
    finally:
        await transport.close()
