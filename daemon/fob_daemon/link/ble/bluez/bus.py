"""Our own connection to the system bus: BlueZ asks the pairing agent of the connection that calls Pair."""

import asyncio
from contextlib import suppress
from typing import Any, Final

from dbus_fast import BusType, DBusError, Message, MessageType, unpack_variants
from dbus_fast.aio import MessageBus
from dbus_fast.errors import DBusFastError
from dbus_fast.service import ServiceInterface

from fob_daemon.link.ble.deadlines import STACK_TIME, deadline

BLUEZ: Final = "org.bluez"
ADAPTER: Final = "org.bluez.Adapter1"
AGENT_MANAGER: Final = "org.bluez.AgentManager1"
DEVICE: Final = "org.bluez.Device1"
MANAGER_PATH: Final = "/org/bluez"
OBJECT_MANAGER: Final = "org.freedesktop.DBus.ObjectManager"
PROPERTIES: Final = "org.freedesktop.DBus.Properties"

# Properties by interface.
Interfaces = dict[str, dict[str, Any]]


class BlueZBus:
    """Calls to BlueZ. Connects when first used, and anew after the bus was restarted."""

    def __init__(self) -> None:
        self._bus: MessageBus | None = None
        self._end: asyncio.Task[None] | None = None
        self._connecting = asyncio.Lock()

    async def call(self, path: str, interface: str, member: str, signature: str = "", *body: Any) -> Any:
        """Call a method of BlueZ; its first value, if it has one. Raises DBusFastError, OSError, EOFError."""
        bus = await self._connected()
        reply = await bus.call(
            Message(
                destination=BLUEZ, path=path, interface=interface, member=member, signature=signature, body=list(body)
            )
        )
        if reply is None:
            return None
        if reply.message_type is MessageType.ERROR:
            text = reply.body[0] if reply.body and isinstance(reply.body[0], str) else ""
            raise DBusError(reply.error_name or "", text)
        return reply.body[0] if reply.body else None

    async def tidy_up(self, path: str, interface: str, member: str, signature: str = "", *body: Any) -> None:
        """Call a method whose failure changes nothing."""
        with suppress(DBusFastError, OSError, EOFError):
            async with deadline(STACK_TIME, member):
                await self.call(path, interface, member, signature, *body)

    async def objects(self) -> dict[str, Interfaces]:
        """All that BlueZ knows, by path. Raises as `call`."""
        found: dict[str, Interfaces] = unpack_variants(await self.call("/", OBJECT_MANAGER, "GetManagedObjects"))
        return found

    async def export(self, path: str, interface: ServiceInterface) -> None:
        """Let BlueZ call an object of ours. Raises as `call`."""
        (await self._connected()).export(path, interface)

    def unexport(self, path: str) -> None:
        """Take it back."""
        if self._bus is not None:
            self._bus.unexport(path)

    def close(self) -> None:
        """The daemon ends."""
        if self._bus is not None:
            self._bus.disconnect()
            self._bus = None

    async def _connected(self) -> MessageBus:
        async with self._connecting:
            if self._bus is None or not self._bus.connected:
                self.close()
                self._bus = await _connect()
                self._end = asyncio.create_task(_end_of(self._bus))
            return self._bus


async def _connect() -> MessageBus:
    bus = MessageBus(bus_type=BusType.SYSTEM)
    try:
        return await bus.connect()
    except BaseException:
        # Frees the socket, which the constructor made.
        bus.disconnect()
        raise


async def _end_of(bus: MessageBus) -> None:
    """Take note of how a connection ends, as somebody has to: the next call begins another one."""
    with suppress(OSError, EOFError):
        await bus.wait_for_disconnect()  # type: ignore[no-untyped-call]  # dbus-fast leaves this one untyped
