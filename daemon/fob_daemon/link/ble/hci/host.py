"""bumble's host on a controller: powered on when first needed, and anew when the controller went away."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final, Protocol

from bumble.core import BaseBumbleError
from bumble.device import Connection, Device, DeviceConfiguration
from bumble.hci import Address
from bumble.pairing import PairingConfig

from fob_daemon.link.ble.deadlines import STACK_TIME, deadline
from fob_daemon.link.ble.hci.bonds import Bonds
from fob_daemon.link.ble.hci.pairing import pairing_config
from fob_daemon.link.ble.hci.signaling import Signaling
from fob_daemon.link.transport import LineUnavailableError
from fob_protocol.link.hci_host import ControllerLostError, HciEnds, StrictHost

# Above CRITICAL: the stack's debug texts hold keys, its errors are written at a stranger's will.
_SILENT: Final = 100

# What to do about a controller that sends no HCI: it says what else is at its place.
LOOK: Final = "fob doctor"

# Nobody reads a central's.
NAME: Final = "fobd"


class HciTransport(HciEnds, Protocol):
    """As bumble opens it."""

    async def close(self) -> None:
        """Let go of it."""


# Raises OSError, BaseBumbleError.
OpenTransport = Callable[[], Awaitable[HciTransport]]


class HciConnection(Protocol):
    """A connection of bleak's client."""

    async def discover(self) -> None:
        """Agree on the MTU and find the service. Raises BleakError."""


class HciHost:
    """One controller's host. `pairing_with` is the address of the device that may bond now."""

    def __init__(self, open_transport: OpenTransport, bonds: Bonds) -> None:
        self.bonds = bonds
        self.pairing_with: str | None = None
        self.connecting = asyncio.Lock()
        # By the address of the device at the other end.
        self.clients: dict[str, HciConnection] = {}
        self._open_transport = open_transport
        self._transport: HciTransport | None = None
        self._device: Device | None = None
        self._closing: set[asyncio.Task[None]] = set()
        self._lock = asyncio.Lock()

    async def device(self) -> Device:
        """The powered host. Raises LineUnavailableError, OSError, BaseBumbleError."""
        async with self._lock:
            if self._device is None:
                try:
                    async with deadline(STACK_TIME, "starting the Bluetooth controller"):
                        self._device = await self._power_on()
                except ControllerLostError as error:
                    raise LineUnavailableError(str(error), LOOK) from error
            return self._device

    def connection(self, address: str) -> Connection | None:
        """The connection with the device at an address of either kind."""
        if self._device is None:
            return None
        connections = self._device.connections.values()
        return next((c for c in connections if bare_address(c.peer_address) == address), None)

    async def close(self) -> None:
        """Let go of the controller."""
        device, self._device = self._device, None
        transport, self._transport = self._transport, None
        if device is not None:
            with suppress(BaseBumbleError):
                await device.power_off()
        if transport is not None:
            await transport.close()

    async def _power_on(self) -> Device:
        logging.getLogger("bumble").setLevel(_SILENT)
        transport = await self._open_transport()
        try:
            config = DeviceConfiguration(name=NAME, address=self.bonds.address, irk=self.bonds.irk)
            device = Device(config=config, host=StrictHost(transport))
            device.keystore = self.bonds
            device.pairing_config_factory = self._pairing_config
            Signaling(device).listen()
            await device.power_on()
        except BaseException:
            await transport.close()
            raise
        self._transport = transport
        transport.source.terminated.add_done_callback(lambda _: self._gone(transport))
        return device

    def _pairing_config(self, connection: Connection) -> PairingConfig:
        return pairing_config(bare_address(connection.peer_address) == self.pairing_with)

    def _gone(self, transport: HciTransport) -> None:
        """The controller was unplugged, its process ended, or it sends no HCI; the connections have ended."""
        if self._transport is transport:
            self._transport = self._device = None
            closing = asyncio.get_running_loop().create_task(transport.close())
            self._closing.add(closing)
            closing.add_done_callback(self._closing.discard)


def bare_address(address: Address) -> str:
    """`C0:11:22:33:44:55`."""
    return address.to_string(with_type_qualifier=False)
