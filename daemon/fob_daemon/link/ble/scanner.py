"""The one scanner: two at a time disturb each other, and connecting while a scan runs fails on some adapters."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Final

from bleak import BleakScanner
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData

from fob_daemon.link.ble.deadlines import STACK_TIME, deadline
from fob_daemon.link.ble.errors import STACK_ERRORS, NotNearError, explained
from fob_daemon.link.ble.stack import Nearby, Stack
from fob_daemon.link.transport import LineUnavailableError
from fob_protocol.link.gatt import SERVICE_UUID
from fob_protocol.names import plain_name

# Devices that one scan tells of: whoever transmits can make up any number.
NEARBY_LIMIT: Final = 64

# Seconds. A scan that outlived the service or the adapter it was started on hears nothing, and nobody tells.
SCAN_LIFE: Final = 10.0

Listener = Callable[[BLEDevice, AdvertisementData], None]


class Scanner:
    """Scans for Fob's service while somebody listens and nobody connects."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._listeners: set[Listener] = set()
        self._pauses = 0
        self._running: BleakScanner | None = None
        self._started_at = 0.0
        self._lock = asyncio.Lock()

    async def find(self, address: str, seconds: float) -> BLEDevice:
        """The device at an address, once it is heard. Raises NotNearError, LineUnavailableError."""
        found: asyncio.Future[BLEDevice] = asyncio.get_running_loop().create_future()

        def hear(device: BLEDevice, _: AdvertisementData) -> None:
            if device.address.upper() == address and not found.done():
                found.set_result(device)

        async with self._listening(hear):
            try:
                async with asyncio.timeout(seconds):
                    return await found
            except TimeoutError:
                raise NotNearError from None

    async def scan(self, seconds: float) -> list[Nearby]:
        """What is near, the strongest signal first. Raises LineUnavailableError."""
        nearby: dict[str, Nearby] = {}

        def hear(device: BLEDevice, advertisement: AdvertisementData) -> None:
            address = device.address.upper()
            if address in nearby or len(nearby) < NEARBY_LIMIT:
                name = plain_name(advertisement.local_name or device.name or "")
                nearby[address] = Nearby(address, name, advertisement.rssi)

        async with self._listening(hear):
            await asyncio.sleep(seconds)
        return sorted(nearby.values(), key=lambda found: (-found.rssi, found.address))

    @asynccontextmanager
    async def paused(self) -> AsyncIterator[None]:
        """No scan runs within the `async with` block; who listens waits. Raises LineUnavailableError."""
        self._pauses += 1
        try:
            await self._settle()
            yield
        finally:
            self._pauses -= 1
            await self._settle_for_others()

    async def close(self) -> None:
        """Stop for good."""
        self._listeners.clear()
        await self._settle()

    @asynccontextmanager
    async def _listening(self, listener: Listener) -> AsyncIterator[None]:
        self._listeners.add(listener)
        try:
            await self._settle()
            yield
        finally:
            self._listeners.discard(listener)
            await self._settle_for_others()

    async def _settle_for_others(self) -> None:
        """Whoever still listens hears nothing when this fails, and starts the scan again when it tries again."""
        with suppress(LineUnavailableError):
            await self._settle()

    async def _settle(self) -> None:
        """Start or stop as things stand. To its end also when the caller is cancelled: half a start scans for ever."""
        settling = asyncio.create_task(self._start_or_stop())
        settling.add_done_callback(_note_end)
        await asyncio.shield(settling)

    async def _start_or_stop(self) -> None:
        async with self._lock:
            wanted = bool(self._listeners) and not self._pauses
            is_old = asyncio.get_running_loop().time() - self._started_at > SCAN_LIFE
            if self._running is not None and (is_old or not wanted):
                await self._stop(self._running)
            if self._running is None and wanted:
                await self._start()

    async def _start(self) -> None:
        scanner = BleakScanner(self._hear, [SERVICE_UUID], backend=self._stack.scanner, **self._stack.arguments)
        with explained():
            async with deadline(STACK_TIME, "starting to scan"):
                await scanner.start()
        self._running = scanner
        self._started_at = asyncio.get_running_loop().time()

    async def _stop(self, scanner: BleakScanner) -> None:
        self._running = None
        try:
            async with deadline(STACK_TIME, "ending the scan"):
                await scanner.stop()
        except STACK_ERRORS:
            # The stack was restarted, or its adapter pulled out: the scan has ended with it.
            return

    def _hear(self, device: BLEDevice, advertisement: AdvertisementData) -> None:
        for listener in tuple(self._listeners):
            listener(device, advertisement)


def _note_end(settling: "asyncio.Task[None]") -> None:
    """A failure that a cancelled caller does not hear is nobody's; the next one who listens meets it again."""
    if not settling.cancelled():
        settling.exception()
