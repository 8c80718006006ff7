"""A phone on the virtual radio, and a bare central that pairs with it as a computer would."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

from fob_daemon.link.data_line import open_data_line
from fob_daemon.link.pair import pair
from fob_daemon.link.transport import Line, LineUrl
from fob_device.line.phone_lines import PhoneLines
from fob_device.phone import Phone
from fob_device.ports.ble.station import Station, static_address
from fob_device.radio.radio import Radio
from fob_protocol.link.gatt import split_values
from fob_protocol.noise.keys import KeyPair
from fob_protocol.pairing.pc import PairedDevice
from support.central import Central
from support.session import seeded

# The line's opener is the central; nobody looks at the address.
URL: Final = LineUrl.parse("ble:C0:00:00:00:00:01")

NAME: Final = "phone"
GREETING: Final = b"AT\r"
OK: Final = b"OK\r\n"


@asynccontextmanager
async def on_the_air(phone: Phone, radio: Radio) -> AsyncIterator[str]:
    """The phone's port, on a controller called NAME; the phone's address. Switched off politely at the end."""
    opened = asyncio.Event()
    async with radio.attach(NAME) as transport:
        station = asyncio.create_task(Station(transport, PhoneLines(phone)).serve(opened.set))
        await opened.wait()
        try:
            yield static_address(phone.identity.public)
        finally:
            station.cancel()
            await asyncio.gather(station, return_exceptions=True)


class CentralLine:
    """The daemon's Line over a central that is connected and bonded."""

    def __init__(self, central: Central, on_data: Callable[[bytes], None]) -> None:
        self.lost = asyncio.Event()
        self.octets_sent = 0
        self.octets_received = 0
        self._central = central
        self._on_data = on_data
        self._values: asyncio.Queue[bytes] = asyncio.Queue()
        self._sender = asyncio.create_task(self._send())
        central.on_value = self._take

    @property
    def rate(self) -> float | None:
        """As fast as the radio."""
        return None

    def write(self, data: bytes) -> None:
        """Octets to the phone."""
        self.octets_sent += len(data)
        for value in split_values(data, self._central.connection.att_mtu):
            self._values.put_nowait(value)

    def close(self) -> None:
        """The connection stays."""
        self._sender.cancel()
        self._central.on_value = None

    async def _send(self) -> None:
        while True:
            await self._central.send(await self._values.get())

    def _take(self, value: bytes) -> None:
        self.octets_received += len(value)
        self._on_data(value)


async def open_over(central: Central, on_data: Callable[[bytes], None]) -> Line:
    """A line over a central that is subscribed."""
    return CentralLine(central, on_data)


async def pair_over(central: Central, seed: int = 1) -> tuple[bytes, PairedDevice]:
    """Section 5 over a central that is bonded and subscribed; the computer's static key, and the phone."""

    async def equal(code: str, device: PairedDevice) -> bool:
        return True

    async def opener(url: LineUrl, on_data: Callable[[bytes], None]) -> Line:
        return await open_over(central, on_data)

    random = seeded(seed)
    identity = KeyPair.generate(random)
    data_line = await open_data_line(URL, opener)
    device = await pair(data_line, identity, random, pc_name=f"pc {seed}", compare=equal)
    data_line.line.close()
    return identity.public, device


async def greet(central: Central) -> bytes:
    """A sign of life of the line: AT, with its echo and its OK."""
    await central.send(GREETING)
    return await central.receive_until(OK)
