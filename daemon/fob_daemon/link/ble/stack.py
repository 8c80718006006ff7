"""What the radio needs of a Bluetooth stack beside what bleak gives it."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from bleak import BleakClient
from bleak.backends.client import BaseBleakClient
from bleak.backends.scanner import BaseBleakScanner


@dataclass(frozen=True, slots=True)
class Nearby:
    """A device that advertises Fob's service; `rssi` is its signal strength in dBm."""

    address: str
    name: str
    rssi: int


# Bonds with the device at the other end of a connection.
Bond = Callable[[BleakClient], Awaitable[None]]


class Stack(Protocol):
    """BlueZ, or a controller of our own. An address is `C0:11:22:33:44:55`.

    Every method raises LineUnavailableError, or one of STACK_ERRORS.
    """

    @property
    def client(self) -> type[BaseBleakClient]:
        """bleak's backend for a connection."""

    @property
    def scanner(self) -> type[BaseBleakScanner]:
        """bleak's backend for scanning."""

    @property
    def arguments(self) -> dict[str, Any]:
        """Keywords for either."""

    @property
    def forgets_first(self) -> bool:
        """Whether an old bond has to be deleted before a new one is made; else `give_up` brings it back."""

    async def is_bonded(self, address: str) -> bool:
        """True when this side has the key of a bond."""

    async def free(self, address: str) -> None:
        """End a connection that nobody uses any more: a connected device does not advertise."""

    def interval(self, client: BleakClient) -> float | None:
        """A connection's interval at this moment, in seconds; None where the stack does not tell.

        From one event to the next at which the device is sure to listen.
        """

    async def secure(self, client: BleakClient) -> None:
        """Encrypt a connection by its bond, where the stack leaves that to its user."""

    async def discover(self, client: BleakClient) -> None:
        """Agree on the MTU and discover the service, where the stack did not when it connected."""

    def ready_to_bond(self, address: str) -> AbstractAsyncContextManager[Bond]:
        """Be ready to bond with the device at an address, and with no other, from before it is connected with."""

    def keep(self, address: str) -> None:
        """Pairing has proved the bond made last: it outlives its connection, and this process."""

    async def give_up(self, address: str) -> None:
        """It came to nothing: delete the bond made last."""

    async def forget(self, address: str) -> None:
        """Delete this side's bond, if there is one."""

    def is_lost_bond(self, address: str, error: Exception) -> bool:
        """Whether this failure to open a line to a bonded device, which was heard, means that it lost its bond."""

    def opened(self, address: str) -> None:
        """A line to a bonded device opened: its bond is whole."""

    async def close(self) -> None:
        """The daemon ends."""
