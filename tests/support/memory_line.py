"""A cable in memory between a daemon's link and a device's line, with seeded faults and a plug that can be pulled."""

import asyncio
import random
from collections import deque
from collections.abc import Callable
from functools import partial

from fob_daemon.link.transport import Line, LineUnavailableError, LineUrl, StreamLine
from fob_device.line.device_line import DeviceLine

# What one direction takes to arrive.
LATENCY = 0.002


class Noise:
    """Seeded faults of octets: each octet is hit with `rate`. `faults` counts the hits."""

    def __init__(self, rate: float, seed: int) -> None:
        self.rate = rate
        self.faults = 0
        self.silence = False
        self._random = random.Random(seed)

    def __call__(self, data: bytes) -> bytes:
        """What arrives of `data`."""
        if self.silence:
            return b""
        if self.rate == 0:
            return data
        out = bytearray()
        for octet in data:
            if self._random.random() >= self.rate:
                out.append(octet)
                continue
            self.faults += 1
            out += self._hit(octet)
        return bytes(out)

    def _hit(self, octet: int) -> bytes:
        match self._random.randrange(4):
            case 0:
                return bytes((octet ^ 1 << self._random.randrange(8),))
            case 1:
                return b""
            case 2:
                return bytes((octet, octet))
        return bytes((octet, self._random.randrange(256)))


class Wire:
    """One direction: octets arrive in their order, one by one at a rate, as they were written without one.

    Timers alone do not promise that order at the same instant.
    """

    def __init__(self, rate: float | None = None) -> None:
        self._rate = rate
        self._free_at = 0.0
        self._travelling: deque[Callable[[], None]] = deque()

    def carry(self, data: bytes, deliver: Callable[[bytes], None]) -> None:
        """Put octets in at one end."""
        loop = asyncio.get_running_loop()
        self._free_at = max(self._free_at, loop.time())
        for chunk in (bytes((octet,)) for octet in data) if self._rate else (data,):
            self._free_at += 1 / self._rate if self._rate else 0.0
            self._travelling.append(partial(deliver, chunk))
            loop.call_at(self._free_at + LATENCY, self._arrive)

    def _arrive(self) -> None:
        self._travelling.popleft()()


class CableTransport(asyncio.WriteTransport):
    """The PC's end of the cable."""

    def __init__(self, cable: "Cable") -> None:
        super().__init__()
        self._cable = cable

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send octets to the device."""
        self._cable.to_device(bytes(data))

    def get_write_buffer_size(self) -> int:
        """A cable in memory takes everything."""
        return 0

    def abort(self) -> None:
        """The daemon closes the line."""
        self._cable.hang_up()


class Cable:
    """One line between a PC and a device. `device` makes the device's end, anew each time it is switched on."""

    url = LineUrl.parse("serial:/cable")

    def __init__(self, noise: Noise) -> None:
        self.noise = noise
        self.plugged = True
        self._down, self._up = Wire(), Wire()
        self._device: DeviceLine | None = None
        self._pc: StreamLine | None = None

    def switch_on(self, make_line: Callable[[Callable[[bytes], None]], DeviceLine]) -> None:
        """A device is at the other end from now on."""
        self._device = make_line(self._to_pc)

    def switch_off(self) -> None:
        """The device lost power."""
        device, self._device = self._device, None
        if device is not None:
            device.hang_up()
        self.hang_up()

    def unplug(self) -> None:
        """Pull the plug; both ends notice."""
        self.plugged = False
        self.hang_up()

    def plug_in(self) -> None:
        """Put it back."""
        self.plugged = True

    def hang_up(self) -> None:
        """The connection ends at both sides."""
        pc, self._pc = self._pc, None
        if pc is not None:
            asyncio.get_running_loop().call_soon(pc.connection_lost, None)
        if self._device is not None:
            self._device.hang_up()

    async def open(self, url: LineUrl, on_data: Callable[[bytes], None]) -> Line:
        """The LineOpener of this cable."""
        if not self.plugged or self._device is None:
            raise LineUnavailableError(f"{url.text}: nothing is plugged in")
        self.hang_up()
        line = StreamLine(url, on_data)
        self._pc = line
        line.connection_made(CableTransport(self))
        return line

    async def open_to_pair(self, url: LineUrl, on_data: Callable[[bytes], None]) -> Line:
        """A cable needs no preparation."""
        return await self.open(url, on_data)

    def keep(self) -> None:
        """Nor does it keep anything of a pairing."""

    def to_device(self, data: bytes) -> None:
        """Octets of the PC on their way."""
        self._down.carry(self.noise(data), partial(self._deliver_to, self._device))

    def _deliver_to(self, device: DeviceLine | None, data: bytes) -> None:
        if device is not None and device is self._device and self.plugged and data:
            device.data_received(data)

    def _to_pc(self, data: bytes) -> None:
        self._up.carry(self.noise(data), partial(self._deliver_from, self._pc))

    def _deliver_from(self, pc: StreamLine | None, data: bytes) -> None:
        if pc is not None and pc is self._pc and self.plugged and data:
            pc.data_received(data)
