"""A cable in memory between a daemon's link and a device's line, with faults and a plug that can be pulled."""

import asyncio
from collections import deque
from collections.abc import Callable
from functools import partial

from fob_daemon.link.transport import Line, LineUnavailableError, LineUrl, StreamLine
from fob_device.line.phone_lines import LineHandler, PhoneLines
from fob_protocol.session.pace import Pace
from support.noise import Noise, Tap

# What one direction takes to arrive.
LATENCY = 0.002
ROUNDING = 1e-6


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
        self._cable.say_to_device(bytes(data))

    def get_write_buffer_size(self) -> int:
        """A cable in memory takes everything."""
        return 0

    def abort(self) -> None:
        """The daemon closes the line."""
        self._cable.hang_up()


class Cable:
    """One line between a PC and a device (a Medium)."""

    url = LineUrl.parse("serial:/cable")

    def __init__(self, noise: Noise) -> None:
        self.noise = noise
        self.taps: list[Tap] = []
        self.plugged = True
        self.pace = Pace()
        self._down, self._up = Wire(), Wire()
        self._device: LineHandler | None = None
        self._pc: StreamLine | None = None

    def switch_on(self, lines: PhoneLines) -> None:
        """A phone is at the other end from now on."""
        self._device = lines(self._to_pc, close=self.hang_up, pace=lambda: self.pace)

    def switch_off(self) -> None:
        """The device lost power."""
        device, self._device = self._device, None
        if device is not None:
            device.hang_up()
        self.hang_up()

    def restart(self, lines: PhoneLines) -> None:
        """The phone's program restarts behind an open line, without a word."""
        self.switch_on(lines)

    def unplug(self) -> None:
        """Pull the plug; both ends notice."""
        self.plugged = False
        self.hang_up()

    def plug_in(self) -> None:
        """Put it back."""
        self.plugged = True

    def hang_up(self) -> None:
        """The connection ends at both sides."""
        self._close_pc()
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

    async def is_bonded(self) -> bool:
        """Never."""
        return False

    def say_to_device(self, octets: bytes) -> None:
        """The PC, or somebody else, writes on the line."""
        for tap in self.taps:
            tap.down(octets)
        self._down.carry(self.noise(octets), partial(self._deliver_to, self._device))

    def say_to_pc(self, octets: bytes) -> None:
        """Somebody else writes on the line, at the PC's end of it."""
        if self._pc is not None:
            self._pc.data_received(octets)

    def trips(self, count: int) -> tuple[float, float]:
        """The least and the most seconds for so many questions and answers, to the rounding of a sum."""
        seconds = count * 2 * LATENCY
        return seconds - ROUNDING, seconds + ROUNDING

    async def close(self) -> None:
        """Nothing is left of a cable."""

    def _close_pc(self) -> None:
        pc, self._pc = self._pc, None
        if pc is not None:
            asyncio.get_running_loop().call_soon(pc.connection_lost, None)

    def _deliver_to(self, device: LineHandler | None, data: bytes) -> None:
        if device is not None and device is self._device and self.plugged and data:
            device.data_received(data)

    def _to_pc(self, data: bytes) -> None:
        for tap in self.taps:
            tap.up(data)
        self._up.carry(self.noise(data), partial(self._deliver_from, self._pc))

    def _deliver_from(self, pc: StreamLine | None, data: bytes) -> None:
        if pc is not None and pc is self._pc and self.plugged and data:
            pc.data_received(data)


class SerialCable(Cable):
    """Three wires, at `baud` if it is given: neither end learns that the other one closed its port."""

    def __init__(self, noise: Noise, baud: int | None = None) -> None:
        super().__init__(noise)
        if baud is not None:
            self.url = LineUrl.parse(f"serial:/cable?baud={baud}")
            self.pace = Pace(baud / 10)
            self._down, self._up = Wire(self.pace.rate), Wire(self.pace.rate)

    def hang_up(self) -> None:
        """The PC closes its port; the device sees nothing of it."""
        self._close_pc()
