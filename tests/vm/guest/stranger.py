"""A central that is no friend: connects with a phone, tries all that can be tried there, and tells what came of it.

    stranger.py ADDRESS none|just-works

Runs in the guest, with bleak. With `just-works` a pairing agent without keys and display answers for this computer, and
pairing is asked for. Prints one JSON object: what became of each attempt, and how many values were notified.
"""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from typing import Any, Final

from bleak import BleakClient, BleakScanner
from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.exc import BleakError
from dbus_fast import BusType, Message
from dbus_fast.aio import MessageBus
from dbus_fast.annotations import DBusObjectPath
from dbus_fast.errors import DBusFastError
from dbus_fast.service import ServiceInterface, dbus_method

TO_DEVICE: Final = "f0b50002-2c8e-4b6a-9d17-3e5a6c70b1e4"
TO_PC: Final = "f0b50003-2c8e-4b6a-9d17-3e5a6c70b1e4"
CONFIGURATION: Final = 0x2902
# The device's name, which anybody may read: the attempts do reach the device.
NAME: Final = "00002a00-0000-1000-8000-00805f9b34fb"

# Asks a device who it is; answered on any line.
COMMAND: Final = b"AT+GMI\r"

FIND_TIME: Final = 15.0
# A call that BlueZ never answers is a refusal too. Shorter than the phone's PROVING_TIME, after which it hangs up.
ATTEMPT_TIME: Final = 5.0
LISTEN_TIME: Final = 2.0

AGENT: Final = "/stranger"


class JustWorks(ServiceInterface):
    """org.bluez.Agent1 that says yes to everything."""

    def __init__(self) -> None:
        super().__init__("org.bluez.Agent1")

    @dbus_method(name="RequestAuthorization")
    def request_authorization(self, device: DBusObjectPath) -> None:
        """Yes."""

    @dbus_method(name="Cancel")
    def cancel(self) -> None:
        """The question is over."""

    @dbus_method(name="Release")
    def release(self) -> None:
        """BlueZ ends."""


async def register_agent() -> MessageBus:
    """The bus that the agent is on; it answers as long as that is connected."""
    bus = await MessageBus(bus_type=BusType.SYSTEM).connect()
    bus.export(AGENT, JustWorks())
    for member, signature, body in (
        ("RegisterAgent", "os", [AGENT, "NoInputNoOutput"]),
        ("RequestDefaultAgent", "o", [AGENT]),
    ):
        await bus.call(
            Message("org.bluez", "/org/bluez", "org.bluez.AgentManager1", member, signature=signature, body=body)
        )
    return bus


async def attempt(call: Awaitable[Any]) -> str:
    """What became of a call: "done", "hangs", or why not."""
    try:
        async with asyncio.timeout(ATTEMPT_TIME):
            await call
    except TimeoutError:
        return "hangs"
    except (BleakError, DBusFastError, EOFError) as error:
        return str(error) or type(error).__name__
    return "done"


async def try_all(address: str, is_pairing: bool) -> dict[str, object]:
    """Every access to both characteristics and the descriptor, each on a connection of its own."""
    notified: list[bytes] = []

    def hear(_: BleakGATTCharacteristic, value: bytearray) -> None:
        notified.append(bytes(value))

    results: dict[str, object] = {}
    results["read name"] = await on_connection(address, lambda client: client.read_gatt_char(NAME))
    if is_pairing:
        results["pair"] = await on_connection(address, lambda client: client.pair())
    results["write"] = await on_connection(address, lambda client: client.write_gatt_char(TO_DEVICE, COMMAND, True))
    results["read to the device"] = await on_connection(address, lambda client: client.read_gatt_char(TO_DEVICE))
    results["read to the PC"] = await on_connection(address, lambda client: client.read_gatt_char(TO_PC))
    results["read configuration"] = await on_connection(address, lambda client: read_configuration(client))
    results["subscribe"] = await on_connection(address, lambda client: client.start_notify(TO_PC, hear))
    results["notified"] = len(notified)
    return results


async def read_configuration(client: BleakClient) -> bytearray:
    """The configuration descriptor of what is notified."""
    characteristic = client.services.get_characteristic(TO_PC)
    if characteristic is None:
        raise BleakError("no such characteristic")
    handle = next(found.handle for found in characteristic.descriptors if int(found.uuid[:8], 16) == CONFIGURATION)
    return await client.read_gatt_descriptor(handle)


async def on_connection(address: str, call: Callable[[BleakClient], Awaitable[Any]]) -> str:
    """One attempt on a new connection."""
    device = await BleakScanner.find_device_by_address(address, FIND_TIME)
    if device is None:
        return "not found"
    client = BleakClient(device, timeout=ATTEMPT_TIME)
    if (connected := await attempt(client.connect())) != "done":
        return f"connect: {connected}"
    try:
        result = await attempt(call(client))
        await asyncio.sleep(LISTEN_TIME)
        return result
    finally:
        await attempt(client.disconnect())


async def main() -> None:
    """See above."""
    address, agent = sys.argv[1:]
    bus = await register_agent() if agent == "just-works" else None
    print(json.dumps(await try_all(address, is_pairing=bus is not None)))


if __name__ == "__main__":
    asyncio.run(main())
