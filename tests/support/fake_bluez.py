"""bluetoothd as far as bonding goes: it answers over a real message bus, and asks the agent of whoever calls Pair."""

import asyncio
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, Final

import pytest
from dbus_fast import Message, MessageType, Variant
from dbus_fast.aio import MessageBus

from support.required import program

ADAPTER: Final = "/org/bluez/hci0"
BLUEZ: Final = "org.bluez"
DEVICE: Final = "org.bluez.Device1"
ADAPTER_INTERFACE: Final = "org.bluez.Adapter1"
AGENT: Final = "org.bluez.Agent1"
PASSKEY: Final = 123456

# Asks what it wants of an agent; True when the device bonds.
Ask = Callable[["FakeBlueZ", str, str], Awaitable[bool]]


@contextmanager
def message_bus(folder: Path) -> Iterator[str]:
    """A bus of the test's own; its address."""
    address = f"unix:path={folder / 'bus'}"
    (folder / "bus").unlink(missing_ok=True)
    daemon = subprocess.Popen(
        [program("dbus-daemon"), "--session", "--nofork", "--nopidfile", "--print-address", f"--address={address}"],
        stdout=subprocess.PIPE,
    )
    try:
        assert daemon.stdout is not None
        assert daemon.stdout.readline()
        yield address
    finally:
        daemon.terminate()
        daemon.communicate()


@contextmanager
def system_bus(folder: Path) -> Iterator[str]:
    """That of the test's own, in place of the machine's; its address."""
    with message_bus(folder) as address, pytest.MonkeyPatch.context() as patch:
        patch.setenv("DBUS_SYSTEM_BUS_ADDRESS", address)
        yield address


async def numeric_comparison(bluez: "FakeBlueZ", sender: str, device: str) -> bool:
    """What a pairing of Fob's asks."""
    return await bluez.ask(sender, "RequestConfirmation", "ou", device, PASSKEY) is None


async def say_nothing(bluez: "FakeBlueZ", sender: str, device: str) -> bool:
    """A device that never answers."""
    await asyncio.Event().wait()
    return False


async def die(bluez: "FakeBlueZ", sender: str, device: str) -> bool:
    """bluetoothd crashes in the middle of it."""
    bluez.stop()
    return False


class FakeBlueZ:
    """`devices` by path: the properties of Device1; `adapters`: of Adapter1.

    `calls` are the methods called, with the path's last part; `refusal` is the error of every one, if there is one;
    with `is_silent` none is answered.
    """

    def __init__(self, bus: MessageBus) -> None:
        self.devices: dict[str, dict[str, Variant]] = {}
        self.adapters: dict[str, dict[str, Variant]] = {ADAPTER: {"Powered": Variant("b", True)}}
        self.refusal: str | None = None
        self.is_silent = False
        self.agents: dict[str, tuple[str, str]] = {}
        self.default_agent: str | None = None
        self.calls: list[tuple[str, str]] = []
        self.when_paired: Ask = numeric_comparison
        self._bus = bus
        self._pairings: set[asyncio.Task[None]] = set()
        self._methods: dict[str, Callable[[Message], Message | bool]] = {
            "GetManagedObjects": self._get_managed_objects,
            "RegisterAgent": self._register_agent,
            "RequestDefaultAgent": self._request_default_agent,
            "UnregisterAgent": self._unregister_agent,
            "Set": self._set,
            "Disconnect": self._disconnect,
            "RemoveDevice": self._remove_device,
            "CancelPairing": self._cancel_pairing,
            "Pair": self._pair,
        }

    def add(self, address: str, adapter: str = ADAPTER, **properties: bool) -> str:
        """A device that BlueZ knows; its path."""
        path = f"{adapter}/dev_{address.replace(':', '_')}"
        known = {name: Variant("b", value) for name, value in properties.items()}
        self.devices[path] = {"Address": Variant("s", address)} | known
        return path

    def property(self, path: str, name: str) -> Any:
        """What a property is now."""
        return self.devices[path][name].value

    def stop(self) -> None:
        """bluetoothd ends, and its name with it."""
        for pairing in self._pairings:
            pairing.cancel()
        self._bus.disconnect()

    async def ask(self, sender: str, member: str, signature: str, *body: object) -> str | None:
        """Call the agent of a program; the name of its error."""
        path, _ = self.agents[sender]
        reply = await self._bus.call(
            Message(destination=sender, path=path, interface=AGENT, member=member, signature=signature, body=list(body))
        )
        assert reply is not None
        return reply.error_name if reply.message_type is MessageType.ERROR else None

    def handle(self, message: Message) -> Message | bool | None:
        """Called for every message on the bus."""
        handler = self._methods.get(message.member or "")
        if handler is None or message.message_type is not MessageType.METHOD_CALL:
            return None
        self.calls.append((str(message.member), str(message.path).rpartition("/")[2]))
        if self.is_silent:
            return True
        if self.refusal is not None:
            return Message.new_error(message, self.refusal, "refused")
        return handler(message)

    def _get_managed_objects(self, message: Message) -> Message:
        objects = {path: {DEVICE: properties} for path, properties in self.devices.items()}
        objects |= {path: {ADAPTER_INTERFACE: properties} for path, properties in self.adapters.items()}
        return Message.new_method_return(message, "a{oa{sa{sv}}}", [objects])

    def _register_agent(self, message: Message) -> Message:
        path, capability = message.body
        self.agents[str(message.sender)] = (path, capability)
        return Message.new_method_return(message)

    def _request_default_agent(self, message: Message) -> Message:
        self.default_agent = str(message.sender)
        return Message.new_method_return(message)

    def _unregister_agent(self, message: Message) -> Message:
        del self.agents[str(message.sender)]
        self.default_agent = None
        return Message.new_method_return(message)

    def _set(self, message: Message) -> Message:
        _, name, value = message.body
        self.devices[str(message.path)][name] = value
        return Message.new_method_return(message)

    def _disconnect(self, message: Message) -> Message:
        self.devices[str(message.path)]["Connected"] = Variant("b", False)
        return Message.new_method_return(message)

    def _remove_device(self, message: Message) -> Message:
        if message.body[0] not in self.devices:
            return Message.new_error(message, "org.bluez.Error.DoesNotExist", "Does Not Exist")
        del self.devices[message.body[0]]
        return Message.new_method_return(message)

    def _cancel_pairing(self, message: Message) -> Message:
        for pairing in self._pairings:
            pairing.cancel()
        return Message.new_method_return(message)

    def _pair(self, message: Message) -> bool:
        pairing = asyncio.get_running_loop().create_task(self._conclude(message))
        self._pairings.add(pairing)
        pairing.add_done_callback(self._pairings.discard)
        return True

    async def _conclude(self, message: Message) -> None:
        path = str(message.path)
        if await self.when_paired(self, str(message.sender), path):
            self.devices[path] |= {"Paired": Variant("b", True), "Bonded": Variant("b", True)}
            await self._bus.send(Message.new_method_return(message))
        elif self._bus.connected:
            error = "org.bluez.Error.AuthenticationFailed"
            await self._bus.send(Message.new_error(message, error, "Authentication Failed"))


@asynccontextmanager
async def fake_bluez(address: str, *bonded: str) -> AsyncIterator[FakeBlueZ]:
    """bluetoothd on a bus, from its start to its end; `bonded` are the addresses of the bonds it has stored."""
    bus = await MessageBus(address).connect()
    bluez = FakeBlueZ(bus)
    for device in bonded:
        bluez.add(device, Paired=True)
    bus.add_message_handler(bluez.handle)
    await bus.request_name(BLUEZ)
    try:
        yield bluez
    finally:
        bluez.stop()
