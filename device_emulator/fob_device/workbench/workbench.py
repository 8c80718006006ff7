"""What a test engineer does to the emulated phone while it runs."""

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

from fob_device.errors import StartError
from fob_device.listeners import Listeners
from fob_device.phone import Phone
from fob_device.ports.url import Port
from fob_device.workbench.bench_port import BenchPort
from fob_device.workbench.clock import ShiftedClock
from fob_device.workbench.errors import BenchError
from fob_device.workbench.interference import Direction, FrameFault, FrameFaults, Harm, Interference
from fob_device.workbench.limits import FULL, RATE_MAXIMUM, RATE_MINIMUM, SECONDS_LIMIT, SHIFT_LIMIT, checked
from fob_device.workbench.power import Battery, Power
from fob_device.workbench.reports import NOBODY, BenchReport, LineReport, PortReport

# The phone from its file for as long as the block runs; what is not in the file begins anew each time.
SwitchOn = Callable[[], AbstractContextManager[Phone]]


class Workbench:
    """The phone with its ports, and all that can go wrong with them.

    Whatever is done takes effect at once, as a pulled plug does. A `port` is named by its URL, None means all.
    Each call raises BenchError, and then nothing has changed.
    """

    def __init__(self, ports: Sequence[Port], wall_clock: Callable[[], float] = time.time) -> None:
        # Told of every change but octets, and of the name of whoever opens a session.
        self.on_change = Listeners()
        # The phone's wall clock: for its memory, and for whatever it shows.
        self.clock = ShiftedClock(wall_clock)
        # The phone, None while it is off.
        self.phone: Phone | None = None
        self._frames = FrameFaults()
        self._ports = tuple(BenchPort(port, Interference(port.url, self._frames), self.on_change) for port in ports)
        self._power = Power(self.on_change)

    @property
    def is_on(self) -> bool:
        """Whether the phone is on."""
        return self.phone is not None

    @property
    def is_open(self) -> bool:
        """Whether the phone is on and can be connected to by every port."""
        return self.is_on and all(port.is_open for port in self._ports)

    @property
    def troubles(self) -> dict[str, StartError]:
        """Why ports that were open are gone, by their URL."""
        return {port.url: port.trouble for port in self._ports if port.trouble is not None}

    async def opened(self) -> None:
        """Wait for `is_open`."""
        news = asyncio.Event()
        stop_listening = self.on_change.add(news.set)
        try:
            while not self.is_open:
                news.clear()
                await news.wait()
        finally:
            stop_listening()

    def drop(self, port: str | None = None, line: int | None = None) -> int:
        """Lines hang up: all of them, a port's, or one by its number. How many there were; they can come back at once.

        A pseudo-terminal is closed and made anew, a TCP or radio connection ends; a serial cable tells nobody.
        """
        if line is None:
            return sum(bench_port.drop() for bench_port in self._find(port))
        if port is None:
            raise BenchError("a line is named with its port")
        (bench_port,) = self._find(port)
        if line not in bench_port.lines:
            raise BenchError(f"there is no line {line} of {port}")
        bench_port.lines[line].drop()
        return 1

    def keep_away(self, seconds: float, port: str | None = None) -> None:
        """Out of reach for so long: ports are closed, radio links die without a goodbye. The phone itself goes on."""
        checked("seconds", seconds, 0, SECONDS_LIMIT)
        for bench_port in self._find(port):
            bench_port.go_away(seconds)

    def cut_power(self, seconds: float) -> None:
        """The phone is off for so long, and locked when it is on again; all that is not in its file is gone."""
        checked("seconds", seconds, 0, SECONDS_LIMIT)
        self._power.cut(seconds)
        self._follow_power()

    def set_battery(self, percent: int, is_charging: bool) -> None:
        """With 0 percent the phone is off, until there is more."""
        checked("percent", percent, 0, FULL)
        self._power.battery = Battery(percent, is_charging)
        self._follow_power()

    def slow(self, octets_per_second: int | None, port: str | None = None) -> None:
        """Each direction of each line carries so many from now on; None: as fast as it can."""
        if octets_per_second is not None:
            checked("octets per second", octets_per_second, RATE_MINIMUM, RATE_MAXIMUM)
        for bench_port in self._find(port):
            bench_port.set_rate(octets_per_second)

    def damage(self, direction: Direction, frames: int = 1, port: str | None = None) -> None:
        """One octet of the next frame in a direction, or of so many, is another one."""
        self._add(FrameFault(Harm.DAMAGE, direction, port), frames)

    def lose(self, direction: Direction, frames: int = 1, port: str | None = None) -> None:
        """The next frame in a direction, or so many, does not arrive."""
        self._add(FrameFault(Harm.LOSE, direction, port), frames)

    def spoil(self, component: str) -> None:
        """One octet of what is stored of a component is another one; it is found at the next start."""
        if component not in self.components:
            raise BenchError(f"there is no component {component}; there is {', '.join(self.components) or 'none'}")
        assert self.phone is not None  # noqa: S101 - it has components
        assert self.phone.office is not None  # noqa: S101 - they are its
        try:
            self.phone.office.damage(component)
        except OSError as error:
            raise BenchError(f"{component}: {error.strerror or error}") from None
        self.on_change()

    @property
    def components(self) -> tuple[str, ...]:
        """What is installed on the phone that is on."""
        office = self.phone.office if self.phone is not None else None
        return tuple(office.components()) if office is not None else ()

    def shift_clock(self, seconds: float) -> None:
        """From now on the phone's wall clock is so far ahead of this machine's, or behind it; 0 sets it right."""
        self.clock.shift = checked("seconds", seconds, -SHIFT_LIMIT, SHIFT_LIMIT)
        self.on_change()

    def calm(self) -> None:
        """No line is slow, and no fault waits for a frame any more."""
        self._frames.waiting.clear()
        for bench_port in self._ports:
            bench_port.set_rate(None)

    def lines(self) -> tuple[LineReport, ...]:
        """What is connected now, at least one for each port."""
        return tuple(line for port in self._ports for line in _lines_of(port))

    def report(self) -> BenchReport:
        """Everything that there is to know."""
        ports = (
            PortReport(port.url, port.kind, port.is_open, port.is_away, port.interference.rate) for port in self._ports
        )
        return BenchReport(
            is_on=self.is_on,
            battery=self._power.battery,
            clock_shift=self.clock.shift,
            ports=tuple(ports),
            lines=self.lines(),
            faults=tuple(self._frames.waiting),
            frames_damaged=self._frames.hit[Harm.DAMAGE],
            frames_lost=self._frames.hit[Harm.LOSE],
            components=self.components,
        )

    async def run(self, switch_on: SwitchOn) -> None:
        """Keep the phone on its ports whenever it has power, until cancelled.

        Raises StartError when a port cannot be had, and whatever `switch_on` raises.
        """
        while True:
            await self._power.until_on()
            with switch_on() as phone:
                self.phone = phone
                self.on_change()
                try:
                    await self._serve(phone)
                finally:
                    self._go_dark()

    async def _serve(self, phone: Phone) -> None:
        """Until the power is gone."""
        try:
            async with asyncio.TaskGroup() as group:
                serving = [group.create_task(port.serve(phone)) for port in self._ports]
                await self._power.until_off()
                for task in serving:
                    task.cancel()
        except BaseExceptionGroup as several:
            # The first one says enough; the others were stopped because of it.
            raise several.exceptions[0] from None

    def _follow_power(self) -> None:
        if not self._power.is_on:
            self._go_dark()

    def _go_dark(self) -> None:
        phone, self.phone = self.phone, None
        if phone is None:
            return
        for port in self._ports:
            port.cut()
        phone.lose_power()
        self.on_change()

    def _add(self, fault: FrameFault, frames: int) -> None:
        self._find(fault.port)
        self._frames.add(fault, frames)
        self.on_change()

    def _find(self, url: str | None) -> Sequence[BenchPort]:
        """Raises BenchError."""
        found = [port for port in self._ports if url in (None, port.url)]
        if not found:
            raise BenchError(f"there is no port {url}; there is {', '.join(port.url for port in self._ports)}")
        return found


def _lines_of(port: BenchPort) -> Sequence[LineReport]:
    if not port.lines:
        return [LineReport(port.url, port.kind)]
    return [
        LineReport(
            port=port.url,
            kind=port.kind,
            number=number,
            computer=line.computer or NOBODY,
            octets_in=line.octets[Direction.IN],
            octets_out=line.octets[Direction.OUT],
            frames_damaged=line.hit[Harm.DAMAGE],
            frames_lost=line.hit[Harm.LOSE],
        )
        for number, line in port.lines.items()
    ]
