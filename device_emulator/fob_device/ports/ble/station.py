"""The device on the air: it advertises while it has room, and has a link with each computer that is connected."""

import asyncio
import contextlib
import hashlib
from collections.abc import Callable
from typing import Final

from bumble import att, hci
from bumble.core import BaseBumbleError
from bumble.device import Connection, Device, DeviceConfiguration
from bumble.transport.common import Transport

from fob_device.line.phone_lines import PhoneLines
from fob_device.phone import Phone
from fob_device.ports.ble.advertising import advertising_data
from fob_device.ports.ble.bonding import BondingSession, pairing_config
from fob_device.ports.ble.key_store import BondKeyStore
from fob_device.ports.ble.link import GATT_TIME, BleLink
from fob_device.ports.ble.service import FobService
from fob_device.ports.ble.signaling import Signaling
from fob_protocol.link.gatt import CONNECTIONS_LIMIT, MTU_OFFERED
from fob_protocol.link.hci_host import StrictHost

# Seconds for the controller's answer to one command, and for switching it on, which takes some dozen.
COMMAND_TIME: Final = 5.0
POWER_TIME: Final = 10.0
# How long a polite farewell may take.
FAREWELL_TIME: Final = 1.0

# Milliseconds from advertisement to advertisement: found within a second, and a phone's battery bears it.
ADVERTISING_INTERVAL: Final = 100

# Octets of an address, and the two highest bits of a static random one (Core 5.4, vol. 6, part B, 1.3.2.1).
ADDRESS_SIZE: Final = 6
STATIC_RANDOM: Final = 0xC0
_ADDRESS_LABEL: Final = b"Fob radio address 1"


def static_address(identity: bytes) -> str:
    """The phone's address, the same as long as its identity (a public key) is."""
    octets = bytearray(hashlib.sha256(_ADDRESS_LABEL + identity).digest()[:ADDRESS_SIZE])
    octets[0] |= STATIC_RANDOM
    return octets.hex(":").upper()


class Station:
    """A GATT server on one controller. `lines` are the phone's; `mtu` is the largest that it agrees to.

    With `asks` it asks computers for the connection intervals that it likes.
    """

    def __init__(self, transport: Transport, lines: PhoneLines, mtu: int = MTU_OFFERED, *, asks: bool = True) -> None:
        self._lines = lines
        self._links: dict[Connection, BleLink] = {}
        self._has_changed = asyncio.Event()
        self._host = StrictHost(transport)
        phone = lines.phone
        self._device = Device(config=_configuration(phone), host=self._host)
        self._device.command_timeout = COMMAND_TIME
        self._device.keystore = BondKeyStore(phone.bonds)
        self._device.smp_session_proxy = BondingSession
        loop = asyncio.get_running_loop()
        self._device.pairing_config_factory = lambda connection: pairing_config(
            lambda: phone.is_pairing_open(loop.time())
        )
        self._device.host.long_term_key_provider = self._long_term_key
        self._device.gatt_server.max_mtu = mtu
        self._ask = Signaling(self._device.l2cap_channel_manager).ask if asks else None
        self._service = FobService(self._links.get)
        self._device.add_service(self._service.build())
        self._close_all_else()
        self._device.on(Device.EVENT_CONNECTION, self._connected)

    def _close_all_else(self) -> None:
        """The stack lets anybody write names, declarations and all: that would be another table than the device's."""
        own = self._service.attributes
        for attribute in self._device.gatt_server.attributes:
            if attribute not in own:
                attribute.permissions |= att.Attribute.WRITE_REQUIRES_AUTHORIZATION

    @property
    def lost(self) -> str:
        """Why there is no controller any more, while it is used: nothing."""
        return self._host.lost

    async def serve(self, opened: Callable[[], None]) -> None:
        """Be on the air until cancelled. Raises TimeoutError or bumble's errors when the controller fails."""
        async with asyncio.timeout(POWER_TIME):
            await self._device.power_on()
        self._lines.phone.on_unpaired.append(self._unpaired)
        try:
            await self._advertise()
            opened()
            while True:
                self._has_changed.clear()
                await self._has_changed.wait()
                # A controller that cannot advertise while it is connected does so again afterwards.
                with contextlib.suppress(hci.HCI_Error):
                    await self._advertise()
        finally:
            self._lines.phone.on_unpaired.remove(self._unpaired)
            await self._leave()

    async def _advertise(self) -> None:
        """While there is room for one more."""
        async with asyncio.timeout(GATT_TIME):
            if len(self._links) >= CONNECTIONS_LIMIT:
                await self._device.stop_advertising()
            elif not self._device.is_advertising:
                await self._device.start_advertising()

    def _connected(self, connection: Connection) -> None:
        link = BleLink(connection, self._lines, self._service.to_pc, self._ask)
        self._links[connection] = link
        connection.once(Connection.EVENT_DISCONNECTION, lambda reason: self._disconnected(connection))
        if len(self._links) > CONNECTIONS_LIMIT:
            # It came while the advertising was being stopped.
            link.close(hci.HCI_REMOTE_DEVICE_TERMINATED_CONNECTION_DUE_TO_LOW_RESOURCES_ERROR)
        self._has_changed.set()

    def _disconnected(self, connection: Connection) -> None:
        self._links.pop(connection).disconnected()
        self._has_changed.set()

    def _unpaired(self, pc_key: bytes) -> None:
        for link in list(self._links.values()):
            link.unpaired(pc_key)

    async def _long_term_key(self, handle: int, random: bytes, diversifier: int) -> bytes | None:
        connection = self._device.lookup_connection(handle)
        link = None if connection is None else self._links.get(connection)
        session = self._device.smp_manager.sessions.get(handle)
        if link is None:
            return None
        return link.long_term_key(session if isinstance(session, BondingSession) else None, random, diversifier)

    async def _leave(self) -> None:
        """Say goodbye to whoever is connected and can hear it, if the controller still listens."""
        for link in list(self._links.values()):
            link.unsubscribe()
        if not self._lines.is_cut:
            await self._say_goodbye()
        for link in self._links.values():
            link.disconnected()

    async def _say_goodbye(self) -> None:
        try:
            async with asyncio.timeout(FAREWELL_TIME):
                await self._device.stop_advertising()
                for connection in list(self._links):
                    await connection.disconnect()
        except (TimeoutError, BaseBumbleError):
            pass


def _configuration(phone: Phone) -> DeviceConfiguration:
    name = phone.product().label
    return DeviceConfiguration(
        name=name,
        address=hci.Address(static_address(phone.identity.public)),
        advertising_data=advertising_data(name),
        advertising_interval_min=ADVERTISING_INTERVAL,
        advertising_interval_max=ADVERTISING_INTERVAL,
        # What this server offers never changes, so nobody subscribes to its changes.
        gatt_service_enabled=False,
    )
