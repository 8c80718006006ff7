"""The pairing agent: it answers BlueZ for the one device that this computer is pairing with, and refuses all else."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import structlog
from dbus_fast import DBusError
from dbus_fast.annotations import DBusObjectPath, DBusStr, DBusUInt16, DBusUInt32
from dbus_fast.service import ServiceInterface, dbus_method

from fob_daemon.link.ble.bluez.bus import AGENT_MANAGER, MANAGER_PATH, BlueZBus
from fob_daemon.link.ble.deadlines import STACK_TIME, deadline

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

AGENT_PATH: Final = "/fob/agent"
# Numeric comparison.
CAPABILITY: Final = "DisplayYesNo"
REJECTED: Final = "org.bluez.Error.Rejected"


class PairingAgent(ServiceInterface):
    """org.bluez.Agent1 for the device at an address. Its number is compared by nobody: Fob's own code follows.

    `has_confirmed`: it was asked to compare numbers, so the bond is an authenticated one.
    """

    def __init__(self, address: str) -> None:
        super().__init__("org.bluez.Agent1")
        self.has_confirmed = False
        self._device = f"dev_{address.replace(':', '_')}"

    @dbus_method(name="RequestConfirmation")
    def request_confirmation(self, device: DBusObjectPath, passkey: DBusUInt32) -> None:
        """Numeric comparison: yes, for our device."""
        if device.rpartition("/")[2] != self._device:
            raise self._refusal("confirmation", device)
        self.has_confirmed = True

    @dbus_method(name="RequestAuthorization")
    def request_authorization(self, device: DBusObjectPath) -> None:
        """Just Works: no bond without authentication."""
        raise self._refusal("authorization", device)

    @dbus_method(name="AuthorizeService")
    def authorize_service(self, device: DBusObjectPath, uuid: DBusStr) -> None:
        """A service of this computer's: none of our business."""
        raise self._refusal("service", device)

    @dbus_method(name="RequestPinCode")
    def request_pin_code(self, device: DBusObjectPath) -> DBusStr:
        """A PIN, for classic Bluetooth."""
        raise self._refusal("PIN code", device)

    @dbus_method(name="RequestPasskey")
    def request_passkey(self, device: DBusObjectPath) -> DBusUInt32:
        """Passkey entry: nobody is asked."""
        raise self._refusal("passkey", device)

    @dbus_method(name="DisplayPinCode")
    def display_pin_code(self, device: DBusObjectPath, pincode: DBusStr) -> None:
        """A PIN to be typed at the device."""
        raise self._refusal("showing a PIN code", device)

    @dbus_method(name="DisplayPasskey")
    def display_passkey(self, device: DBusObjectPath, passkey: DBusUInt32, entered: DBusUInt16) -> None:
        """A passkey to be typed at the device; BlueZ takes no answer."""

    @dbus_method(name="Cancel")
    def cancel(self) -> None:
        """The question is over."""

    @dbus_method(name="Release")
    def release(self) -> None:
        """BlueZ ends."""

    def _refusal(self, what: str, device: str) -> DBusError:
        _log.warning("ble.pairing_refused", what=what, device=device)
        return DBusError(REJECTED, "not asked for")


@asynccontextmanager
async def agent_for(bus: BlueZBus, address: str) -> AsyncIterator[PairingAgent]:
    """An agent for one pairing: registered with the BlueZ of this moment, so that a restarted one knows it too.

    It is the default one meanwhile: new connections have the abilities of that, and not of who calls Pair on them.
    Raises LineUnavailableError, DBusFastError, OSError, EOFError.
    """
    agent = PairingAgent(address)
    await bus.export(AGENT_PATH, agent)
    try:
        async with deadline(STACK_TIME, "registering the pairing agent"):
            await bus.call(MANAGER_PATH, AGENT_MANAGER, "RegisterAgent", "os", AGENT_PATH, CAPABILITY)
            await bus.call(MANAGER_PATH, AGENT_MANAGER, "RequestDefaultAgent", "o", AGENT_PATH)
        yield agent
    finally:
        await bus.tidy_up(MANAGER_PATH, AGENT_MANAGER, "UnregisterAgent", "o", AGENT_PATH)
        bus.unexport(AGENT_PATH)
