"""A controller of our own as the radio's stack."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

from bleak import BleakClient
from bleak.backends.client import BaseBleakClient
from bleak.backends.scanner import BaseBleakScanner
from bleak.exc import BleakError
from bumble.core import ProtocolError
from bumble.device import Connection
from bumble.hci import HCI_Error, HCI_ErrorCode
from bumble.transport import open_transport

from fob_daemon.link.ble.errors import BOND_REFUSED
from fob_daemon.link.ble.hci.bonds import Bonds
from fob_daemon.link.ble.hci.bonds_file import BONDS_FILE
from fob_daemon.link.ble.hci.client import HciClient
from fob_daemon.link.ble.hci.errors import bleak_errors
from fob_daemon.link.ble.hci.host import HciHost, HciTransport, OpenTransport
from fob_daemon.link.ble.hci.scanner import HciScanner
from fob_daemon.link.ble.stack import Bond
from fob_daemon.link.transport import LineUnavailableError
from fob_protocol.session.air import sure_interval

# What encrypting ends with when the other side has no key, or another one (Core 5.4, vol. 1, part F, 2).
_NO_KEY: Final = (
    HCI_ErrorCode.PIN_OR_KEY_MISSING_ERROR,
    HCI_ErrorCode.AUTHENTICATION_FAILURE_ERROR,
    HCI_ErrorCode.CONNECTION_TERMINATED_DUE_TO_MIC_FAILURE_ERROR,
)


class NoKeyError(BleakError):
    """The other side has no key for this bond, or another one."""


class HciStack:
    """Implements Stack on a host of bumble's."""

    def __init__(self, host: HciHost) -> None:
        self._host = host

    @classmethod
    def at(cls, spec: str, state: Path) -> "HciStack":
        """The controller at one of bumble's transports; bonds are kept in the folder `state`.

        Raises LineUnavailableError.
        """
        try:
            return cls(HciHost(_opener(spec), Bonds(state / BONDS_FILE)))
        except LineUnavailableError:
            raise
        except OSError as error:
            raise LineUnavailableError(f"the Bluetooth bonds cannot be read: {error}") from None

    @property
    def client(self) -> type[BaseBleakClient]:
        """bleak's backend for a connection."""
        return HciClient

    @property
    def scanner(self) -> type[BaseBleakScanner]:
        """bleak's backend for scanning."""
        return HciScanner

    @property
    def arguments(self) -> dict[str, Any]:
        """Keywords for either."""
        return {"host": self._host}

    @property
    def forgets_first(self) -> bool:
        """No: an old bond stays in the file until the new one is proved."""
        return False

    async def is_bonded(self, address: str) -> bool:
        """True when this side has the key of a bond."""
        return self._host.bonds.has(address)

    async def free(self, address: str) -> None:
        """Nothing: no connection outlives the daemon here."""

    def interval(self, client: BleakClient) -> float | None:
        """As the controller told; None when the connection has ended."""
        connection = self._host.connection(client.address.upper())
        if connection is None:
            return None
        told = connection.parameters
        return sure_interval(told.connection_interval, told.peripheral_latency, told.subrate_factor)

    async def discover(self, client: BleakClient) -> None:
        """Agree on the MTU, find the service. Raises BleakError."""
        connected = self._host.clients.get(client.address.upper())
        if connected is None:
            raise BleakError("the connection ended")
        await connected.discover()

    async def secure(self, client: BleakClient) -> None:
        """Encrypt with the key of the bond. Raises NoKeyError, BleakError."""
        connection = self._connection(client)
        if connection.is_encrypted:
            return
        reasons: list[int | None] = []
        connection.on(connection.EVENT_DISCONNECTION, reasons.append)
        try:
            with bleak_errors():
                await connection.encrypt()
        except BleakError as error:
            if isinstance(error.__cause__, HCI_Error):
                reasons.append(error.__cause__.error_code)
            if any(reason in _NO_KEY for reason in reasons):
                raise NoKeyError(str(error)) from error
            raise

    @asynccontextmanager
    async def ready_to_bond(self, address: str) -> AsyncIterator[Bond]:
        """Be ready to bond with the device at an address, and with no other."""
        self._host.pairing_with = address
        try:
            yield self._bond
        finally:
            self._host.pairing_with = None

    def keep(self, address: str) -> None:
        """The bond made now is proved. Raises LineUnavailableError."""
        self._host.bonds.keep(address)

    async def give_up(self, address: str) -> None:
        """The bond made now is not; the old one is back."""
        self._host.bonds.give_up(address)

    async def forget(self, address: str) -> None:
        """Delete this side's bond, if there is one."""
        self._host.bonds.remove(address)

    def is_lost_bond(self, address: str, error: Exception) -> bool:
        """The controller says which failure it was."""
        return isinstance(error, NoKeyError)

    def opened(self, address: str) -> None:
        """Nothing to remember."""

    async def close(self) -> None:
        """Let go of the controller."""
        await self._host.close()

    async def _bond(self, client: BleakClient) -> None:
        address = client.address.upper()
        try:
            await client.pair()
        except BleakError as error:
            if isinstance(error.__cause__, ProtocolError):
                raise BleakError(BOND_REFUSED) from error
            raise
        if not self._host.bonds.is_authenticated(address):
            self._host.bonds.give_up(address)
            raise BleakError(BOND_REFUSED)

    def _connection(self, client: BleakClient) -> Connection:
        connection = self._host.connection(client.address.upper())
        if connection is None:
            raise BleakError("the connection ended")
        return connection


def _opener(spec: str) -> OpenTransport:
    async def opened() -> HciTransport:
        try:
            return await open_transport(spec)
        except Exception as error:  # bumble raises that itself, on a system without Bluetooth sockets
            raise BleakError(f"there is no Bluetooth controller at {spec}: {error}") from None

    return opened
