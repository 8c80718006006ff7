"""BlueZ as the radio's stack."""

import shlex
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Any

from bleak import BleakClient
from bleak.backends.bluezdbus.client import BleakClientBlueZDBus
from bleak.backends.bluezdbus.scanner import BleakScannerBlueZDBus
from bleak.backends.client import BaseBleakClient
from bleak.backends.scanner import BaseBleakScanner
from bleak.exc import BleakError
from dbus_fast import DBusError, Variant

from fob_daemon.link.ble.bluez.agent import PairingAgent, agent_for
from fob_daemon.link.ble.bluez.bus import ADAPTER, DEVICE, PROPERTIES, BlueZBus
from fob_daemon.link.ble.bluez.doubts import Doubts
from fob_daemon.link.ble.bluez.unsettled import UnsettledBonds
from fob_daemon.link.ble.errors import BOND_REFUSED, NO_ADAPTER
from fob_daemon.link.ble.stack import Bond
from fob_daemon.link.transport import LineUnavailableError


class BlueZStack:
    """Implements Stack over D-Bus."""

    def __init__(self, unsettled: UnsettledBonds) -> None:
        self._unsettled = unsettled
        self._bus = BlueZBus()
        self._doubts = Doubts()

    @property
    def client(self) -> type[BaseBleakClient]:
        """bleak's backend for a connection."""
        return BleakClientBlueZDBus

    @property
    def scanner(self) -> type[BaseBleakScanner]:
        """bleak's backend for scanning."""
        return BleakScannerBlueZDBus

    @property
    def arguments(self) -> dict[str, Any]:
        """Keywords for either."""
        return {}

    @property
    def forgets_first(self) -> bool:
        """Yes: BlueZ does not bond twice, and gives nobody the key of a bond to put back."""
        return True

    async def is_bonded(self, address: str) -> bool:
        """True when BlueZ has the key of a bond."""
        devices = await self._devices(address)
        # `Bonded` came with BlueZ 5.65.
        return any(properties.get("Bonded", properties.get("Paired")) for properties in devices.values())

    async def free(self, address: str) -> None:
        """End the connection that an earlier run of the daemon left: BlueZ keeps it when a program dies."""
        for path, properties in (await self._devices(address)).items():
            if properties.get("Connected"):
                await self._bus.call(path, DEVICE, "Disconnect")

    def interval(self, client: BleakClient) -> float | None:
        """BlueZ does not tell."""
        return None

    async def secure(self, client: BleakClient) -> None:
        """Nothing: BlueZ encrypts a bonded device's connection by itself."""

    async def discover(self, client: BleakClient) -> None:
        """Nothing: BlueZ discovers when it connects."""

    @asynccontextmanager
    async def ready_to_bond(self, address: str) -> AsyncIterator[Bond]:
        """Be ready to bond with the device at an address, and with no other.

        Before it is connected with: a connection keeps the abilities that the default agent had when it was made.
        """
        async with agent_for(self._bus, address) as agent:
            yield partial(self._bond, agent)

    def keep(self, address: str) -> None:
        """The bond made now is proved."""
        with suppress(OSError):
            # The next start finds the pairing that proved it.
            self._unsettled.settle(address)

    async def give_up(self, address: str) -> None:
        """The bond made now is not."""
        await self.forget(address)

    async def forget(self, address: str) -> None:
        """Delete BlueZ's bond, and all else that it has stored of the device.

        Raises LineUnavailableError while there is no adapter: BlueZ knows the devices of one only when it is there.
        """
        self._doubts.clear(address)
        objects = await self._bus.objects()
        if not any(ADAPTER in interfaces for interfaces in objects.values()):
            raise LineUnavailableError(NO_ADAPTER)
        for path in _devices_at(address, objects):
            try:
                await self._bus.call(path.rpartition("/")[0], ADAPTER, "RemoveDevice", "o", path)
            except DBusError as error:
                if error.type != "org.bluez.Error.DoesNotExist":
                    raise
        with suppress(OSError):
            self._unsettled.settle(address)

    def is_lost_bond(self, address: str, error: Exception) -> bool:
        """As far as BlueZ lets it be known."""
        return self._doubts.is_lost(address, error)

    def opened(self, address: str) -> None:
        """The bond is whole."""
        self._doubts.clear(address)

    async def close(self) -> None:
        """The daemon ends."""
        self._bus.close()

    async def _bond(self, agent: PairingAgent, client: BleakClient) -> None:
        address = client.address.upper()
        devices = await self._devices(address)
        path = next((path for path, properties in devices.items() if properties.get("Connected")), None)
        if path is None:
            raise BleakError("the connection ended")
        self._begin(address)
        await self._bus.call(path, PROPERTIES, "Set", "ssv", DEVICE, "Trusted", Variant("b", True))
        try:
            await self._bus.call(path, DEVICE, "Pair")
        except BaseException:
            await self._bus.tidy_up(path, DEVICE, "CancelPairing")
            raise
        if not agent.has_confirmed:
            # Just Works: BlueZ asks nobody. The bond goes with the connection.
            raise BleakError(BOND_REFUSED)
        self._doubts.clear(address)

    def _begin(self, address: str) -> None:
        """No bond is made that nobody would clear up. Raises LineUnavailableError."""
        try:
            self._unsettled.begin(address)
        except OSError as error:
            why = f"{self._unsettled.path} cannot be written: {error.strerror or error}"
            raise LineUnavailableError(why, f"df -h {shlex.quote(str(self._unsettled.path.parent))}") from None

    async def _devices(self, address: str) -> dict[str, dict[str, Any]]:
        """The properties of the device at an address, by path: one for each adapter that has met it."""
        return _devices_at(address, await self._bus.objects())


def _devices_at(address: str, objects: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    devices = {path: interfaces[DEVICE] for path, interfaces in objects.items() if DEVICE in interfaces}
    return {path: properties for path, properties in devices.items() if properties.get("Address") == address}
