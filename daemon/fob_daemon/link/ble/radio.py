"""The computer's radio: one for the whole daemon, whatever number of devices it reaches."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Final

from bleak import BleakClient
from bleak.backends.device import BLEDevice
from bleak_retry_connector import establish_connection

from fob_daemon.link.ble.deadlines import (
    BOND_TIME,
    CONNECT_TIME,
    DISCOVER_TIME,
    ENCRYPT_TIME,
    FIND_TIME,
    GHOST_TIME,
    STACK_TIME,
    deadline,
)
from fob_daemon.link.ble.errors import STACK_ERRORS, NotConnectedError, NotNearError, explained, why_and_remedy
from fob_daemon.link.ble.line import BleLine
from fob_daemon.link.ble.scanner import Scanner
from fob_daemon.link.ble.stack import Bond, Nearby, Stack
from fob_daemon.link.transport import BLE, BondLostError, LineUnavailableError
from fob_protocol.link.gatt import SERVICE_UUID
from fob_protocol.session.air import air_pace

FORGOTTEN_HERE: Final = "this computer has lost its Bluetooth bond with the phone"
FORGOTTEN_THERE: Final = "the phone has forgotten this computer's Bluetooth bond"

# What bleak-retry-connector may try again by itself; the link manager tries again anyway, and says so meanwhile.
CONNECT_ATTEMPTS: Final = 1


class Radio:
    """Opens lines, scans, and looks after bonds. Addresses are `C0:11:22:33:44:55`."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._scanner = Scanner(stack)
        # One connection is made at a time: stacks answer a second attempt with errors.
        self._connecting = asyncio.Lock()
        # The last line to each device, and the task that ends its connection with it.
        self._lines: dict[str, tuple[BleLine, asyncio.Task[None]]] = {}
        # Devices whose new bond goes with the connection that it was made on: pairing is not done.
        self._unproved: set[str] = set()

    async def open(self, address: str, on_data: Callable[[bytes], None], *, bond: bool = False) -> BleLine:
        """A line to a bonded device, or with `bond` to one that is bonded with now, whatever bond there was.

        A bond made now is given up when the line ends, unless `keep` came before. Raises LineUnavailableError;
        BondLostError when only pairing again helps.
        """
        with explained():
            await self._end(address)
            if bond:
                # A bond is not given up for a device that is not near.
                await self._scanner.find(address, FIND_TIME)
            await self._make_ready(address, bond)
            return await self._in_tries(address, on_data, bond)

    async def scan(self, seconds: float) -> list[Nearby]:
        """The devices that are near, the strongest signal first. Raises LineUnavailableError."""
        return await self._scanner.scan(seconds)

    async def stakes_bond(self, address: str) -> bool:
        """Whether bonding anew costs a bond at once, whatever comes of it. Raises LineUnavailableError."""
        return self._stack.forgets_first and await self._is_bonded(address)

    async def is_still_bonded(self, address: str) -> bool:
        """Whether there is a bond when the last line has ended. Raises LineUnavailableError."""
        await self._end(address)
        return await self._is_bonded(address)

    def keep(self, address: str) -> None:
        """Pairing is done on the line that was opened to bond: the bond stays. Raises LineUnavailableError."""
        with explained():
            self._stack.keep(address)
        self._unproved.discard(address)

    async def forget(self, address: str) -> None:
        """Delete this side's bond with a device, if there is one. Raises LineUnavailableError."""
        with explained():
            await self._end(address)
            async with deadline(STACK_TIME, "deleting the bond"):
                await self._stack.forget(address)

    async def close(self) -> None:
        """The daemon ends."""
        await self._scanner.close()
        for address in tuple(self._lines):
            await self._end(address)
        async with deadline(STACK_TIME, "closing the radio"):
            await self._stack.close()

    async def _in_tries(self, address: str, on_data: Callable[[bytes], None], bond: bool) -> BleLine:
        """Once; whoever bonds tries again for GHOST_TIME."""
        clock = asyncio.get_running_loop().time
        began, tries = clock(), 0
        while True:
            tries += 1
            try:
                return await self._find_and_connect(address, on_data, bond)
            except (NotConnectedError, NotNearError) as error:
                if not bond:
                    raise
                seconds = clock() - began
                if seconds >= GHOST_TIME:
                    why = f"{error.why}; tried {tries} times in {seconds:.0f} s"
                    raise LineUnavailableError(why, error.remedy) from error

    async def _find_and_connect(self, address: str, on_data: Callable[[bytes], None], bond: bool) -> BleLine:
        """Each time from the search on: a stack forgets a stranger that it could not connect with."""
        device = await self._scanner.find(address, FIND_TIME)
        async with self._connecting, self._scanner.paused():
            # Another line to it may have opened meanwhile.
            await self._end(address)
            return await self._connect(device, address, on_data, bond)

    async def _make_ready(self, address: str, bond: bool) -> None:
        async with deadline(STACK_TIME, "asking the Bluetooth service"):
            if bond:
                if self._stack.forgets_first:
                    await self._stack.forget(address)
            elif not await self._stack.is_bonded(address):
                raise _lost_bond(FORGOTTEN_HERE, address)
            await self._stack.free(address)

    async def _is_bonded(self, address: str) -> bool:
        with explained():
            async with deadline(STACK_TIME, "asking the Bluetooth service"):
                return await self._stack.is_bonded(address)

    async def _connect(self, device: BLEDevice, address: str, on_data: Callable[[bytes], None], bond: bool) -> BleLine:
        if bond:
            async with self._stack.ready_to_bond(address) as bond_with:
                return await self._begin_line(device, address, on_data, bond_with)
        try:
            line = await self._begin_line(device, address, on_data)
        except (*STACK_ERRORS, TimeoutError) as error:
            if self._stack.is_lost_bond(address, error):
                raise _lost_bond(FORGOTTEN_THERE, address) from error
            raise
        self._stack.opened(address)
        return line

    async def _begin_line(
        self, device: BLEDevice, address: str, on_data: Callable[[bytes], None], bond_with: Bond | None = None
    ) -> BleLine:
        line = BleLine(on_data)
        client = await self._client(device, address, line)
        self._lines[address] = line, asyncio.create_task(self._see_off(address, line, client))
        interval = partial(self._stack.interval, client)
        try:
            if bond_with is not None:
                self._unproved.add(address)
                async with deadline(air_pace(interval()).stretched(BOND_TIME), "bonding"):
                    await bond_with(client)
            async with deadline(air_pace(interval()).stretched(ENCRYPT_TIME), "encrypting"):
                await self._stack.secure(client)
            async with deadline(air_pace(interval()).stretched(DISCOVER_TIME), "discovering the service"):
                await self._stack.discover(client)
            await line.start(client, interval)
        except BaseException:
            line.close()
            raise
        return line

    async def _client(self, device: BLEDevice, address: str, line: BleLine) -> BleakClient:
        """A connection. Raises NotConnectedError."""
        try:
            async with deadline(CONNECT_TIME, "connecting"):
                return await establish_connection(
                    BleakClient,
                    device,
                    device.name or address,
                    lambda _: line.close(),
                    max_attempts=CONNECT_ATTEMPTS,
                    use_services_cache=False,
                    services=[SERVICE_UUID],
                    backend=self._stack.client,
                    **self._stack.arguments,
                )
        except STACK_ERRORS as error:
            raise NotConnectedError(*why_and_remedy(error)) from error

    async def _end(self, address: str) -> None:
        """See the earlier connection to a device to its end: a stack has one at a time."""
        line, task = self._lines.pop(address, (None, None))
        if line is not None and task is not None:
            line.close()
            await asyncio.wait((task,))

    async def _see_off(self, address: str, line: BleLine, client: BleakClient) -> None:
        """End a connection with its line, and free what the stack keeps for it."""
        await line.lost.wait()
        with suppress(*STACK_ERRORS):
            # What is left of the connection after that is ended by `Stack.free` before the next one.
            async with deadline(line.pace.stretched(STACK_TIME), "disconnecting"):
                await client.disconnect()
        if address in self._unproved:
            self._unproved.discard(address)
            with suppress(*STACK_ERRORS):
                # What is left of the bond is deleted before the next one.
                async with deadline(STACK_TIME, "deleting the bond"):
                    await self._stack.give_up(address)


def _lost_bond(words: str, address: str) -> BondLostError:
    return BondLostError(words, f"fob pair {BLE}:{address}")
